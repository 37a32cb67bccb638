package data

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// npyInfo is what the header of an NPY file says.
type npyInfo struct {
	element elementType
	fortran bool // the first index runs fastest
	shape   []int
}

// npyElements are the element types without their byte order.
var npyElements = map[string]elementType{
	"b1": {kind: 'b', width: 1},
	"f2": {kind: 'f', width: 2}, "f4": {kind: 'f', width: 4}, "f8": {kind: 'f', width: 8},
	"i1": {kind: 'i', width: 1}, "i2": {kind: 'i', width: 2}, "i4": {kind: 'i', width: 4}, "i8": {kind: 'i', width: 8},
	"u1": {kind: 'u', width: 1}, "u2": {kind: 'u', width: 2}, "u4": {kind: 'u', width: 4}, "u8": {kind: 'u', width: 8},
}

// parseNPYHeader reads the dictionary of a header:
//
//	dict  = "{" [ pair { "," pair } [ "," ] ] "}"
//	pair  = "'descr'" ":" string | "'fortran_order'" ":" ( "True" | "False" ) | "'shape'" ":" tuple
//	tuple = "(" ")" | "(" int "," ")" | "(" int { "," int } [ "," ] ")"
//
// with each key once, in any order, and spaces between tokens.
func parseNPYHeader(text string) (npyInfo, error) {
	p := npyParser{rest: text}
	p.dict()
	if p.space(); p.err == nil && p.rest != "" {
		p.fail("there is text behind the dictionary")
	}
	if p.err == nil && p.seen != [3]bool{true, true, true} {
		p.fail("a key is missing, want descr, fortran_order and shape")
	}
	return p.info, p.err
}

// npyParser reads from rest and keeps the first error, after which it reads
// nothing more.
type npyParser struct {
	rest string
	info npyInfo
	seen [3]bool // descr, fortran_order, shape
	err  error
}

func (p *npyParser) fail(format string, args ...any) {
	if p.err == nil {
		p.err, p.rest = fmt.Errorf(format, args...), ""
	}
}

func (p *npyParser) space() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

// next takes token, if it comes next.
func (p *npyParser) next(token string) bool {
	p.space()
	rest, ok := strings.CutPrefix(p.rest, token)
	if ok {
		p.rest = rest
	}
	return ok
}

// want takes token, which has to come next.
func (p *npyParser) want(token string) {
	if !p.next(token) {
		p.fail("want %q before %q", token, abridge(p.rest))
	}
}

func (p *npyParser) dict() {
	p.want("{")
	for p.err == nil && !p.next("}") {
		p.pair()
		if !p.next(",") {
			p.want("}")
			return
		}
	}
}

func (p *npyParser) pair() {
	key := p.quoted()
	p.want(":")
	switch key {
	case "descr":
		p.once(0, key)
		p.descr()
	case "fortran_order":
		p.once(1, key)
		if p.info.fortran = p.next("True"); !p.info.fortran {
			p.want("False")
		}
	case "shape":
		p.once(2, key)
		p.tuple()
	default:
		p.fail("unknown key %q", key)
	}
}

// once refuses a key that has come before.
func (p *npyParser) once(i int, key string) {
	if p.seen[i] {
		p.fail("the key %s comes twice", key)
	}
	p.seen[i] = true
}

// quoted is a string without escapes.
func (p *npyParser) quoted() string {
	quote := "'"
	if !p.next(quote) {
		quote = `"`
		p.want(quote)
	}
	text, rest, ok := strings.Cut(p.rest, quote)
	if !ok || strings.ContainsAny(text, "\\\n") {
		p.fail("a string that does not end")
		return ""
	}
	p.rest = rest
	return text
}

func (p *npyParser) descr() {
	if p.next("[") {
		p.fail("records of several fields are not read: save each field as an array of its own")
		return
	}
	name := p.quoted()
	if p.err != nil {
		return
	}
	element, err := npyElement(name)
	if err != nil {
		p.fail("%w", err)
	}
	p.info.element = element
}

// npyElement is the type that descr names: its byte order and one of
// npyElements.
func npyElement(descr string) (elementType, error) {
	if descr == "" {
		return elementType{}, errors.New("the element type is empty")
	}
	e, ok := npyElements[descr[1:]]
	if !ok {
		return e, fmt.Errorf("elements of type %q are not read, want bool or numbers of 8 to 64 bits; convert them with astype", descr)
	}
	switch descr[0] {
	case '<':
		e.order = binary.LittleEndian
	case '>':
		e.order = binary.BigEndian
	case '=':
		e.order = binary.NativeEndian
	case '|':
		if e.width > 1 {
			return e, fmt.Errorf("elements of type %q have no byte order", descr)
		}
	default:
		return e, fmt.Errorf("elements of type %q: the byte order %q is unknown", descr, descr[:1])
	}
	return e, nil
}

func (p *npyParser) tuple() {
	p.want("(")
	p.info.shape = []int{}
	comma := true
	for p.err == nil && !p.next(")") {
		if !comma {
			p.want(",")
			return
		}
		p.extent()
		comma = p.next(",")
		if !comma && len(p.info.shape) == 1 {
			p.want(",") // (3) is a number, (3,) a tuple
		}
	}
	if len(p.info.shape) > npyMaxDims {
		p.fail("%d dimensions, want at most %d", len(p.info.shape), npyMaxDims)
	}
}

// extent is a decimal number; Python 2 may have put an L behind it.
func (p *npyParser) extent() {
	p.space()
	digits := len(p.rest) - len(strings.TrimLeft(p.rest, "0123456789"))
	d, err := strconv.Atoi(p.rest[:digits])
	if err != nil {
		p.fail("want an extent before %q", abridge(p.rest))
		return
	}
	p.rest = strings.TrimPrefix(p.rest[digits:], "L")
	p.info.shape = append(p.info.shape, d)
}

// abridge is the beginning of a text for a message.
func abridge(text string) string {
	const most = 80
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}
