package train

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"
)

// progress shows how far a run is. On a terminal a bar is redrawn in place; the
// line of an epoch that is done replaces it. What cannot be written is not
// missed.
type progress struct {
	w        io.Writer
	terminal bool
	now      func() time.Time
	epochs   int
	perEpoch uint64

	drawn time.Time // when the bar was drawn last
	width int       // of what is drawn now
}

const (
	barWidth = 24
	barEvery = 100 * time.Millisecond
)

// isTerminal reports whether w is a file that is a terminal, or at least no
// regular file and no pipe.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// step shows that done updates of an epoch, counted from 0, are made.
func (p *progress) step(epoch, done uint64, m *mean) {
	if p.w == nil || !p.terminal || p.now().Sub(p.drawn) < barEvery {
		return
	}
	p.drawn = p.now()
	filled := int(done * barWidth / p.perEpoch)
	bar := strings.Repeat("=", filled)
	if filled < barWidth {
		bar += ">" + strings.Repeat(" ", barWidth-filled-1)
	}
	line := fmt.Sprintf("epoch %d/%d [%s] %d/%d", epoch+1, p.epochs, bar, done, p.perEpoch)
	if loss, ok := m.metrics().Get("loss"); ok {
		line += fmt.Sprintf("  loss %.4g", loss)
	}
	p.draw(line + "  " + rate(m.Samples, m.Seconds))
}

// epoch shows an epoch that is done.
func (p *progress) epoch(e Epoch) {
	if p.w == nil {
		return
	}
	line := fmt.Sprintf("epoch %d/%d  step %d", e.Number, p.epochs, e.Steps)
	for _, m := range e.Training {
		line += fmt.Sprintf("  %s %.4g", m.Name, m.Value)
	}
	if e.Evaluation != nil {
		line += "  |  held out:"
	}
	for _, m := range e.Evaluation {
		line += fmt.Sprintf("  %s %.4g", m.Name, m.Value)
	}
	p.draw(fmt.Sprintf("%s  %s  %.1f s", line, rate(e.Samples, e.Seconds), e.Seconds))
	p.end()
}

// rate is the speed, for people.
func rate(samples int, seconds float64) string {
	return fmt.Sprintf("%.0f samples/s", Epoch{Samples: samples, Seconds: seconds}.Rate())
}

// draw writes a line over the one that is there.
func (p *progress) draw(line string) {
	width := utf8.RuneCountInString(line)
	if p.width > 0 {
		line = "\r" + line + strings.Repeat(" ", max(p.width-width, 0))
	}
	p.width = max(width, 1)
	_, _ = io.WriteString(p.w, line)
}

// end leaves what is drawn.
func (p *progress) end() {
	if p.width > 0 {
		_, _ = io.WriteString(p.w, "\n")
		p.width = 0
	}
}
