package main

// endOfInput is what a user types to end what he types.
const endOfInput = "Ctrl-Z and Enter"
