package caddymodule

import (
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/imageorigin/imageorigin/origins"
)

func TestTheLogTellsFailuresFromAnswers(t *testing.T) {
	for _, tt := range []struct {
		name    string
		err     error
		level   zapcore.Level
		message string
		result  string
	}{
		{"an object", nil, zapcore.DebugLevel, "origin asked", "ok"},
		{"a copy that is still the current one", &origins.Error{Kind: origins.NotModified}, zapcore.DebugLevel, "origin asked", "not_modified"},
		{"no object", &origins.Error{Kind: origins.NotExist}, zapcore.DebugLevel, "origin failed", "not_exist"},
		{"a fault", &origins.Error{Kind: origins.Timeout}, zapcore.WarnLevel, "origin failed", "timeout"},
		{"a fault that was told before", &origins.Error{Kind: origins.Timeout, Err: origins.ErrSkipped}, zapcore.DebugLevel, "origin skipped", "timeout"},
	} {
		core, seen := observer.New(zapcore.DebugLevel)
		report(zap.New(core))(origins.Observation{Origin: "o", Key: "a.jpg", Err: tt.err})
		entries := seen.All()
		if len(entries) != 1 || entries[0].Level != tt.level || entries[0].Message != tt.message || entries[0].ContextMap()["result"] != tt.result {
			t.Errorf("%s: the log has %+v, want %v %q with the result %s", tt.name, entries, tt.level, tt.message, tt.result)
		}
	}
}
