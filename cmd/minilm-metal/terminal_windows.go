package main

// endOfInput is the keys that end typed input.
const endOfInput = "Ctrl-Z and Enter"
