package train

import (
	"encoding/json"
	"strconv"
)

// Metric is a number with a name.
type Metric struct {
	Name  string
	Value float64
}

// MarshalJSON writes the value as text, since it may be infinite or NaN.
func (m Metric) MarshalJSON() ([]byte, error) {
	return json.Marshal([2]string{m.Name, strconv.FormatFloat(m.Value, 'g', -1, 64)})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (m *Metric) UnmarshalJSON(text []byte) (err error) {
	var pair [2]string
	if err := json.Unmarshal(text, &pair); err != nil {
		return err
	}
	m.Name = pair[0]
	m.Value, err = strconv.ParseFloat(pair[1], 64)
	return err
}

// Metrics are the numbers of a report, in its order.
type Metrics []Metric

// Get is the value of the metric called name.
func (m Metrics) Get(name string) (value float64, ok bool) {
	for _, x := range m {
		if x.Name == name {
			return x.Value, true
		}
	}
	return 0, false
}

// metricsOf is the content of a report.
func metricsOf(r Report) Metrics {
	var m Metrics
	r.Each(func(name string, value float64) { m = append(m, Metric{name, value}) })
	return m
}

// Epoch is what one pass over the training set gave.
type Epoch struct {
	Number     int     // from 1 on
	Steps      uint64  // updates of the model at its end
	Training   Metrics // means over the samples of the epoch, each before its update
	Evaluation Metrics // of Evaluate at its end
	Samples    int     // seen in the epoch
	Seconds    float64 // spent in Step, over all the parts of an interrupted epoch
}

// Rate is the samples per second of training.
func (e Epoch) Rate() float64 {
	if e.Seconds <= 0 {
		return 0
	}
	return float64(e.Samples) / e.Seconds
}

// monitored is what decides how good the epoch was.
func (e Epoch) monitored(name string) (value float64, ok bool) {
	if e.Evaluation != nil {
		return e.Evaluation.Get(name)
	}
	return e.Training.Get(name)
}

// Result is what a run gave.
type Result struct {
	History     []Epoch // with the epochs before a resumption
	Best        int     // index in History of the best epoch, −1 for none
	Interrupted bool    // the context was cancelled
	Stopped     bool    // Patience ran out
}

// best is the index of the best epoch, the first one of equals; −1 if there is
// none. NaN is never the best.
func best(history []Epoch, monitor string, maximize bool) int {
	at, top := -1, 0.0
	for i, e := range history {
		v, ok := e.monitored(monitor)
		if !ok || v != v {
			continue
		}
		if at < 0 || maximize && v > top || !maximize && v < top {
			at, top = i, v
		}
	}
	return at
}
