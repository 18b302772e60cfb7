package app

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/linchpin-cmdb/linchpin/internal/safe"
)

// newMetrics returns the program's metrics: the runtime, the database, the graph and its feed.
func (a *App) newMetrics() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	r.MustRegister(a.Store.Collectors()...)
	gauge := func(name, help string, value func() float64) {
		r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, safe.Measure(a.log, name, value)))
	}
	gauge("linchpin_topology_revision", "The newest revision that the graph shows.", func() float64 { return float64(a.Graph.Snapshot().Revision()) })
	gauge("linchpin_topology_cis", "One more than the highest place of a CI in the graph.", func() float64 { return float64(a.Graph.Snapshot().Vertices()) })
	gauge("linchpin_feed_lag_seconds", "Since when the graph has not been known to show everything; below the tick of 0.25 s all is well.", func() float64 { return a.feed.Lag().Seconds() })
	gauge("linchpin_reads_from_standby", "1 while answers are read from the standby of --read-database, 0 while they are read from the primary.", func() float64 {
		if a.Store.IsOnStandby() {
			return 1
		}
		return 0
	})
	gauge("linchpin_feed_lag_revisions", "How many revisions are known to be written that the graph does not show yet.", func() float64 { return float64(a.feed.Behind()) })
	gauge("linchpin_topology_bytes", "About how much memory the newest graph takes.", func() float64 { return float64(a.Graph.Snapshot().Size()) })
	gauge("linchpin_topology_publish_seconds", "How long the newest compaction held writes up while its graph was published.", func() float64 { return a.Graph.Published().Seconds() })
	gauge("linchpin_topology_past_bytes", "About how much memory the graphs take that are kept of the past.", func() float64 { return float64(a.feed.Past()) })
	gauge("linchpin_checkpoint_revision", "The newest revision of the journal that is known to be signed.", func() float64 { return float64(a.signed.Load()) })
	gauge("linchpin_clock_skew_seconds", "How far the clock of this server is ahead of the database's.", func() float64 { return a.Store.Skew().Seconds() })
	gauge("linchpin_subscriptions", "Subscriptions that run.", func() float64 { return float64(a.feed.Followers()) })
	counter := func(name, help string, value func() int64) {
		r.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, safe.Measure(a.log, name, func() float64 { return float64(value()) })))
	}
	counter("linchpin_scheduled_imports_total", "Imports that this server made since a schedule said so.", a.scheduled.Runs)
	counter("linchpin_scheduled_import_failures_total", "How many of them failed or were refused.", a.scheduled.Failures)
	counter("linchpin_topology_rebuilds_total", "How often the graph did not fit the journal and was built anew.", a.feed.Rebuilds)
	counter("linchpin_history_changes_total", "How often the database had another history than the one that was followed.", a.feed.HistoryChanges)
	counter("linchpin_topology_mismatches_total", "How often the graph differed from the tables when they were compared.", a.feed.Mismatches)
	counter("linchpin_topology_compactions_total", "How often what writes lay over the graph was made part of it.", a.Graph.Compactions)
	return r
}
