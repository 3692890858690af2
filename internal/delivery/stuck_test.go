package delivery

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/imageorigin/imageorigin/origins"
)

func TestFromAKeptOriginalNewSizesAreMadeWhileItsOriginIsDown(t *testing.T) {
	inKiosk(t, oneFile, func(k *kiosk) {
		k.e.Keeping.Originals = new(shelves)
		k.asks("a.jpg", "w-200", "200x150 jpeg of one: uri-miss")
		down := &origins.Error{Kind: origins.Unreachable, Origin: "depot", Key: "a.jpg"}
		k.origin.set(func() { k.origin.fault = down })
		time.Sleep(2 * time.Hour)
		resp, err := k.cache.Deliver(k.t.Context(), k.request("a.jpg", "w-100"))
		if err != nil {
			k.t.Fatal(err)
		}
		if got := k.tell(resp, nil); got != "100x75 jpeg of one: stale stale" || !resp.How.Stuck {
			t.Errorf("got %q, stuck %v", got, resp.How.Stuck)
		}
		synctest.Wait()
		k.asks("a.jpg", "w-100", "100x75 jpeg of one: hit stale")
		k.asks("a.jpg", "orig-true", "one: hit stale")
		k.origin.set(func() { k.origin.fault = nil })
		time.Sleep(time.Minute)
		k.asks("a.jpg", "w-100", "100x75 jpeg of one: stale")
		k.origin.set(func() { k.origin.fault = down })
		time.Sleep(4 * time.Hour)
		k.asks("a.jpg", "w-50", "error: "+down.Error()) // stale_if_error is over
	})
}
