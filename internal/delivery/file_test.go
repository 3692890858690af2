package delivery

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imageorigin/imageorigin/transform/plan"
)

func TestOneFileTakesOneOfThePlacesForFilling(t *testing.T) {
	inKiosk(t, map[string]string{"a.txt": "text"}, func(k *kiosk) {
		k.e.Keeping.Files = new(shelves)
		k.asks("a.txt", "", "text: uri-miss")
		k.origin.delay = time.Second
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() { k.ask("a.txt", "") })
		}
		time.Sleep(time.Second / 2)
		if n := len(fills); n != 1 {
			t.Errorf("%d places are taken, want one", n)
		}
		all.Wait()
		synctest.Wait()
		k.asks("a.txt", "", "text: hit")
		k.clean()
	})
}

func TestAnOriginalIsAPictureWhicheverPageIsAskedFor(t *testing.T) {
	inKiosk(t, oneFile, func(k *kiosk) {
		k.e.Keeping.Originals = new(shelves)
		k.asks("a.jpg", "w-200", "200x150 jpeg of one: uri-miss")
		req := k.request("a.jpg", "pg-3,orig-true")
		req.Still = true
		resp, err := k.cache.Deliver(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Close()
		if !resp.Image || resp.Format != plan.JPEG || resp.ContentType != "image/jpeg" {
			t.Errorf("image %v, format %v, type %q", resp.Image, resp.Format, resp.ContentType)
		}
	})
}
