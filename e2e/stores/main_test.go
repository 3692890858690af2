package stores_test

import (
	"os"
	"testing"

	"github.com/imageorigin/imageorigin/e2e/stores"
)

func TestMain(m *testing.M) { os.Exit(stores.Main(m)) }

// awkward are keys that clients and servers get wrong.
var awkward = []string{
	"with space.jpg", "plus+plus.jpg", "100%.jpg", "%2B.jpg", "hash#mark.jpg", "question?mark.jpg", "amp&er=sand.jpg",
	"caf\u00e9.jpg", "cafe\u0301.jpg", "\u5199\u771f/\u98a8\u666f.jpg", "\U0001f600.png", "quo'te.jpg", "semi;colon,comma.jpg",
}
