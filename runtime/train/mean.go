package train

// mean adds up the reports of an epoch's batches, each weighted by its samples.
type mean struct {
	Sums    Metrics // value·samples
	Samples int
	Seconds float64

	weight float64 // of the report that is being added
	next   int     // where in Sums its next number is
}

// add adds the report of a batch of n samples.
func (m *mean) add(r Report, n int, seconds float64) {
	m.weight, m.next = float64(n), 0
	r.Each(m.addMetric)
	m.Samples += n
	m.Seconds += seconds
}

// addMetric adds one number. Reports keep their order, so that the place is
// known; where one does not, the name is looked for.
func (m *mean) addMetric(name string, value float64) {
	if m.next >= len(m.Sums) || m.Sums[m.next].Name != name {
		m.next = m.find(name)
	}
	m.Sums[m.next].Value += value * m.weight
	m.next++
}

// find is the place of the metric called name, which may be new.
func (m *mean) find(name string) int {
	for i, x := range m.Sums {
		if x.Name == name {
			return i
		}
	}
	m.Sums = append(m.Sums, Metric{Name: name})
	return len(m.Sums) - 1
}

// metrics are the means so far.
func (m *mean) metrics() Metrics {
	out := make(Metrics, len(m.Sums))
	for i, x := range m.Sums {
		out[i] = Metric{x.Name, x.Value / float64(m.Samples)}
	}
	return out
}
