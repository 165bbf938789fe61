// Package configs makes one Config out of each package's own Config, reads it
// from a YAML file and from flags, and explains everything that is wrong with
// it: all errors at once, each with its place, the line it is on and the fix.
//
// A file is read in this order (see [LoadFlags]):
//
//  1. source.go: YAML text to a tree of nodes, each with its place;
//  2. decode.go, scalar.go, env.go: nodes into the Config's fields, strictly;
//  3. flags, in the order given, by the same decoder;
//  4. validate.go: what one value says about another, and about the machine.
//
// Secrets (passwords, and passwords inside URLs) never appear in an error:
// mask.go hides them in every excerpt and every quoted value.
//
// pgjay.yaml beside this file is the commented default; tests prove that it
// equals [Default] and mentions every key.
package configs
