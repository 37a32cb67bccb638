// Package fault has the errors that emitted code returns, and the checks of
// inputs that make them.
//
// An [*InputError] is the caller's mistake in one input of one call: a wrong
// length, a label out of range. [ErrNotFinite] and [ErrMismatch] are wrapped by
// the errors of a step that diverged and of a file that does not belong to the
// model. All are found with errors.Is and errors.As. A check that passes does
// not allocate.
package fault

import (
	"errors"
	"fmt"
)

// ErrNotFinite is wrapped by the error of a step whose loss, or the norm of
// whose gradient, is infinite or NaN.
var ErrNotFinite = errors.New("not finite")

// ErrMismatch is wrapped by the error of a file that belongs to another model.
var ErrMismatch = errors.New("file does not match the model")

// InputError says which input of which model is wrong, and how.
type InputError struct {
	Model  string // the model or call, as the user knows it
	Input  string // the field of the batch, or the name of the dimension
	Reason string // what is wrong and what is wanted
}

// Error is "model: input: reason".
func (e *InputError) Error() string { return e.Model + ": " + e.Input + ": " + e.Reason }

// input makes an InputError with a formatted reason.
func input(model, name, format string, args ...any) error {
	return &InputError{Model: model, Input: name, Reason: fmt.Sprintf(format, args...)}
}

// NotFinite is the error of a step whose loss is infinite or NaN: where is the
// call ("mlp.Step"), step the number of the update that was not made. It wraps
// [ErrNotFinite].
func NotFinite(where string, step uint64, loss float64) error {
	return fmt.Errorf("%s: step %d: the loss is %v, nothing was updated: %w", where, step, loss, ErrNotFinite)
}

// GradientNotFinite is the error of a step whose gradient has a norm that is
// infinite or NaN; where and step are those of [NotFinite]. It wraps
// [ErrNotFinite].
func GradientNotFinite(where string, step uint64, norm float64) error {
	return fmt.Errorf("%s: step %d: the norm of the gradient is %v, nothing was updated: %w", where, step, norm, ErrNotFinite)
}
