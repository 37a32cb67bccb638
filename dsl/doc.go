// Package dsl reads .dnn programs: text comes in, a checked ir.Program goes out.
//
// Parse turns one file into a *File, a tree of syntax with the exact span of
// every node and no meaning (syntax.go). Elaborate gives that tree its meaning:
// names, types, shapes, layers inlined. It reads the files that the program
// imports by Options.Open; the package knows no file system itself.
//
// Everything that can be wrong with a program is reported as a *Diagnostic, a
// plain value with a place in a file (error.go); nothing a user writes makes this
// package panic. After syntax errors the tree holds a BadDecl or BadStmt in each
// bad place, with the names it seems to bind, so that elaboration can go on and
// report what is independently wrong.
//
// Format lays a program out in the canonical way, without changing its tree.
package dsl
