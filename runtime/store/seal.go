package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc64"
	"strconv"
)

// The seal of a file is two strings of its metadata.
const (
	versionKey  = "gradgen.version" // a decimal number
	checksumKey = "gradgen.crc64"   // 16 hexadecimal digits

	version   = 1                  // that is written, and the latest that is read
	unchecked = "0000000000000000" // stands in the checksum's place while it is computed
)

// ErrVersion is wrapped by the error of a file that a later version of the
// runtime has written, in a format that this one does not know.
var ErrVersion = errors.New("file of a later version")

var checksumTable = crc64.MakeTable(crc64.ECMA)

// formatChecksum is a sum as the metadata has it.
func formatChecksum(sum hash.Hash64) string { return fmt.Sprintf("%016x", sum.Sum64()) }

// setChecksum is the header with another checksum. Nothing but the key is found:
// in a string a quote has a backslash before it.
func setChecksum(text []byte, from, to string) []byte {
	field := quote(checksumKey) + ":"
	return bytes.Replace(text, []byte(field+quote(from)), []byte(field+quote(to)), 1)
}

// checkMetadata refuses the keys of the seal.
func checkMetadata(meta map[string]string) error {
	for _, k := range []string{versionKey, checksumKey} {
		if _, taken := meta[k]; taken {
			return fmt.Errorf("store: metadata %q is taken by the seal of WriteChecked", k)
		}
	}
	return nil
}

// takeSeal moves the seal from the metadata to f. The checksum can be compared
// when all has been read.
func (f *file) takeSeal() error {
	v, versioned := f.meta[versionKey]
	want, checked := f.meta[checksumKey]
	delete(f.meta, versionKey)
	delete(f.meta, checksumKey)
	if versioned {
		if err := checkVersion(v); err != nil {
			return err
		}
	}

	// Both or none, so that a key that has changed does not hide the seal.
	switch {
	case versioned != checked:
		return damaged("of the metadata %q and %q one is missing", versionKey, checksumKey)
	case !checked:
		return nil
	}

	// The sum was made over the header with zeros in the sum's place.
	f.want, f.sum = want, crc64.New(checksumTable)
	f.sum.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(f.text))))
	f.sum.Write(setChecksum(f.text, want, unchecked))
	return nil
}

// checkVersion refuses versions that are none or too late.
func checkVersion(text string) error {
	v, err := strconv.ParseUint(text, 10, 64)
	switch {
	case errors.Is(err, strconv.ErrRange) || err == nil && v > version:
		return fmt.Errorf("%w: it has version %s of the format, this runtime reads up to %d: go get gradgen.dev@latest", ErrVersion, text, version)
	case err != nil || v == 0:
		return damaged("the version %q is none", text)
	}
	return nil
}

// checkSum compares the checksum, if there is one.
func (f *file) checkSum() error {
	if f.sum == nil {
		return nil
	}
	if got := formatChecksum(f.sum); got != f.want {
		return damaged("the checksum is %s, the file says %q (a program that changes a file has to leave out its metadata gradgen.*)", got, f.want)
	}
	return nil
}
