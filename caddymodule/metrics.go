package caddymodule

import (
	"errors"
	"fmt"

	"github.com/caddyserver/caddy/v2"
	"github.com/prometheus/client_golang/prometheus"
)

// workers is what an engine implements that works in other processes.
type workers interface {
	// WorkerStatus says how they are, for GET /imageorigin/status: something that encodes as JSON.
	WorkerStatus() any

	// Restarts counts, by reason, how often one was replaced since the process began. The reasons are few and fixed.
	Restarts() map[string]uint64

	// WorkerMemory is how many bytes of memory they take together.
	WorkerMemory() int64
}

// workers returns the engine in force, if it works in other processes; nil else.
func (c *configs) workers() workers {
	if a := c.inForce(); a != nil {
		w, _ := a.guest.(workers)
		return w
	}
	return nil
}

// What the process tells of itself.
var (
	restartsMetric = prometheus.NewDesc("caddy_imageorigin_worker_restarts_total",
		"Worker processes that were replaced, by reason.", []string{"reason"}, nil)
	workerMemoryMetric = prometheus.NewDesc("caddy_imageorigin_worker_memory_bytes",
		"Memory that the worker processes take together.", nil, nil)
	inFlightMetric = prometheus.NewDesc("caddy_imageorigin_renders_in_flight",
		"Pictures that are being worked on.", nil, nil)
	queuedMetric = prometheus.NewDesc("caddy_imageorigin_renders_queued",
		"Pictures that wait to be worked on.", nil, nil)
	shedMetric = prometheus.NewDesc("caddy_imageorigin_requests_shed_total",
		"Requests refused because there was too much to do.", nil, nil)
)

// meter reads, when it is asked, what the process counts anyway. There is one, in the registry of every config: a reload
// begins no count anew.
type meter struct{}

// Describe implements prometheus.Collector.
func (meter) Describe(all chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{restartsMetric, workerMemoryMetric, inFlightMetric, queuedMetric, shedMetric} {
		all <- desc
	}
}

// Collect implements prometheus.Collector.
func (meter) Collect(into chan<- prometheus.Metric) {
	now := admission()
	into <- prometheus.MustNewConstMetric(inFlightMetric, prometheus.GaugeValue, float64(now.Running))
	into <- prometheus.MustNewConstMetric(queuedMetric, prometheus.GaugeValue, float64(now.Waiting))
	into <- prometheus.MustNewConstMetric(shedMetric, prometheus.CounterValue, float64(now.Shed))
	w := running.workers()
	if w == nil || w.WorkerStatus() == nil {
		return
	}
	into <- prometheus.MustNewConstMetric(workerMemoryMetric, prometheus.GaugeValue, float64(w.WorkerMemory()))
	for reason, n := range w.Restarts() {
		into <- prometheus.MustNewConstMetric(restartsMetric, prometheus.CounterValue, float64(n), reason)
	}
}

// measure has the config's registry tell of the process, once.
func measure(ctx caddy.Context) error {
	registry := ctx.GetMetricsRegistry()
	if registry == nil {
		return nil
	}
	err := registry.Register(meter{})
	if _, there := errors.AsType[prometheus.AlreadyRegisteredError](err); err != nil && !there {
		return fmt.Errorf("registering metrics: %w", err)
	}
	return nil
}
