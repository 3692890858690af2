package delivery

import (
	"strings"
	"testing"
)

func TestOriginalsWithEndlessHeadersAreNotRemembered(t *testing.T) {
	inKiosk(t, oneFile, func(k *kiosk) {
		k.origin.control = strings.Repeat("x", maxSaid)
		k.asks("a.jpg", "w-200", "200x150 jpeg of one: uri-miss")
		k.asks("a.jpg", "w-200", "200x150 jpeg of one: uri-miss")
		if got := k.store.variants(); len(got) > 0 || k.memory.known.Len() > 0 {
			t.Errorf("kept: %q", got)
		}
	})
}
