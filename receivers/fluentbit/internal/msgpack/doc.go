// Package msgpack walks MessagePack and turns its values into pdata.
//
// It reads what Fluent Bit hands to a plugin, which holds whatever applications
// wrote, so nothing in it is trusted: a length is believed only when that many
// bytes are left, nesting and fields are limited, and no input panics (fuzzed). It
// works on a string: the text of values is a part of it, so a record costs what
// pdata costs and no more.
//
// Nothing is lost on the way: text that is not UTF-8 becomes bytes, a whole number
// past int64 becomes its decimal digits, and a value past the limits is kept as
// bytes, in MessagePack.
//
// fluent-bit-go's own decoder (ugorji/go/codec 1.1.7) lost: it makes a map of
// interfaces of each record, text and binary values come out alike, as bytes, and a
// value that it can't read ends the chunk with the same answer as its end, so that
// what follows is lost without a word.
package msgpack
