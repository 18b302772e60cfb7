package store

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

func newTimes() prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "linchpin_statement_duration_seconds", Help: "How long the database took to answer SQL statements; the count is how many there were.",
		Buckets: prometheus.ExponentialBuckets(0.0001, 4, 9),
	})
}

// Collectors returns the metrics of the store: statements, and its pools' connections and the callers that wait for
// them.
func (s *Store) Collectors() []prometheus.Collector {
	all := []prometheus.Collector{s.times, collectors.NewDBStatsCollector(s.writes, "write")}
	if s.reader != s.writes {
		all = append(all, collectors.NewDBStatsCollector(s.reader, "read"))
	}
	if s.follows != s.reader {
		all = append(all, collectors.NewDBStatsCollector(s.follows, "follow"))
	}
	if s.standby != nil {
		all = append(all, collectors.NewDBStatsCollector(s.standby.reads, "standby"))
	}
	return all
}
