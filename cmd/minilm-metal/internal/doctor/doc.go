// Package doctor looks at a machine in parts, and puts what each part found into one zip
// file for somebody far away.
//
// Each part runs in a process of its own. So one that panics, that a driver ends, or that
// never comes back is one file of the zip which says so, and the others are there all the
// same. What a part had written until then is kept.
//
// Nothing personal is meant to leave the machine: a Scrubber takes the names of the user
// and the machine, and the folders that belong to them, out of every file.
package doctor
