"""Bytes to rows, in bounded memory, whatever the bytes.

gunzip  gzip as it comes, in pieces; says when it ends early
lines   pieces to lines of bounded length, each with its number
csv     lines to rows of values, or to bad rows; no quote swallows the rest of a file
"""
