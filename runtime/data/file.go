package data

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
)

// readFile reads a file, packed with gzip or not, through read. The limit on
// bytes holds for the file's content. What read leaves behind is an error.
func readFile[T any](path string, l Limits, read func(io.Reader) (T, error)) (result T, err error) {
	f, err := os.Open(path)
	if err != nil {
		return result, err
	}
	defer f.Close()
	got, err := readStream(f, l, read)
	if err != nil {
		return result, fmt.Errorf("%s: %w", path, err)
	}
	return got, nil
}

// readStream is readFile for an open file.
func readStream[T any](f io.Reader, l Limits, read func(io.Reader) (T, error)) (result T, err error) {
	r, err := unpack(f)
	if err != nil {
		return result, err
	}
	r = l.limit(r)
	got, err := read(r)
	if err != nil {
		return result, err
	}

	// The end of a gzip stream is where its checksum is compared.
	switch _, err := io.ReadFull(r, make([]byte, 1)); {
	case err == nil:
		return result, errors.New("data: there are bytes behind the content")
	case err != io.EOF:
		return result, fmt.Errorf("data: %w", cutOff(err, false))
	}
	return got, nil
}

// unpack is the content of f, which may be packed with gzip.
func unpack(f io.Reader) (io.Reader, error) {
	buffered := bufio.NewReaderSize(f, 1<<16)
	magic, _ := buffered.Peek(2) // an error of reading comes again
	if !bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		return buffered, nil
	}
	z, err := gzip.NewReader(buffered)
	if err != nil {
		return nil, fmt.Errorf("data: gzip: %w", cutOff(err, true))
	}
	return z, nil
}
