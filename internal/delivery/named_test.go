package delivery

import "testing"

func TestEveryAnswerNamesItsOriginal(t *testing.T) {
	for name, tt := range map[string]struct {
		key, chain, want string
		results          bool
	}{
		"a result":                       {"a.jpg", "w-200", "f/a.jpg", true},
		"a picture as it is":             {"a.jpg", "orig-true", "f/a.jpg", true},
		"a file that passes through":     {"a.txt", "", "f/a.txt", true},
		"a stand-in":                     {"gone.jpg", "w-200", "f/a.jpg", true},
		"a result where nothing is kept": {"a.jpg", "w-200", "f/a.jpg", false},
		"a file where nothing is kept":   {"a.txt", "", "f/a.txt", false},
	} {
		t.Run(name, func(t *testing.T) {
			inKiosk(t, map[string]string{"a.jpg": "one", "a.txt": "text"}, func(k *kiosk) {
				k.e.DefaultImage = "a.jpg"
				if !tt.results {
					k.e.Keeping.Results = nil
				}
				for _, nth := range []string{"first", "second", "third"} {
					resp, err := k.cache.Deliver(k.t.Context(), k.request(tt.key, tt.chain))
					if err != nil {
						t.Fatal(err)
					}
					resp.Close()
					if resp.Source != tt.want {
						t.Errorf("the %s answer names %q, want %q (%s)", nth, resp.Source, tt.want, resp.How.Forward)
					}
				}
			})
		})
	}
}
