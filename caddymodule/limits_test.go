package caddymodule

import (
	"reflect"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/imageorigin/imageorigin/internal/delivery"
	"github.com/imageorigin/imageorigin/transform/plan"
)

func TestLimitsThatAreNotSetHaveTheirDefaults(t *testing.T) {
	for _, tt := range []struct {
		name   string
		limits Limits
		want   delivery.Limits
	}{
		{"none", Limits{}, delivery.Limits{
			Limits:     plan.Limits{SourcePixels: 100_000_000, OutputPixels: 50_000_000, OutputSide: 65535, Frames: 500, Steps: 20},
			SourceSize: 104_857_600, Timeout: 30 * time.Second,
		}},
		{"some", Limits{SourceSize: 1, Frames: 2, Timeout: caddy.Duration(time.Second)}, delivery.Limits{
			Limits:     plan.Limits{SourcePixels: 100_000_000, OutputPixels: 50_000_000, OutputSide: 65535, Frames: 2, Steps: 20},
			SourceSize: 1, Timeout: time.Second,
		}},
		{"all", Limits{1, 2, 3, 4, 5, 6, 7, 8, 9}, delivery.Limits{
			Limits:     plan.Limits{SourcePixels: 2, OutputPixels: 3, OutputSide: 4, Frames: 5, Steps: 6},
			SourceSize: 1, Timeout: 7,
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := tt.limits
			l.setDefaults()
			if got := l.delivery(); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("%+v:\ngot  %+v\nwant %+v", tt.limits, got, tt.want)
			}
		})
	}
}
