package caddymodule

import (
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"
)

// Wrong keys: so many a minute from one address, of so many addresses.
const (
	wrongKeys      = 10
	wrongAddresses = 10_000
	burst          = 5 // times the rate of requests
)

// apiLimits bound what is asked of an API. Requests with a wrong key take nothing away from those with a right one that come
// from another address.
type apiLimits struct {
	requests *rate.Limiter

	mu    sync.Mutex
	wrong *lru.Cache[string, *rate.Limiter] // by address
}

func newAPILimits(r APIRate) (*apiLimits, error) {
	wrong, err := lru.New[string, *rate.Limiter](wrongAddresses)
	if err != nil {
		return nil, err
	}
	each := time.Duration(r.Window) / time.Duration(r.Requests)
	return &apiLimits{requests: rate.NewLimiter(rate.Every(each), burst*r.Requests), wrong: wrong}, nil
}

// mayAsk reports whether one more request is within the rate, and counts it.
func (l *apiLimits) mayAsk() bool { return l.requests.Allow() }

// mayTry reports whether an address may send a key: it did not send too many wrong ones.
func (l *apiLimits) mayTry(address string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	limiter, ok := l.wrong.Get(address)
	return !ok || limiter.Tokens() >= 1
}

// failed counts a wrong key.
func (l *apiLimits) failed(address string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	limiter, ok := l.wrong.Get(address)
	if !ok {
		limiter = rate.NewLimiter(rate.Every(time.Minute/wrongKeys), wrongKeys)
		l.wrong.Add(address, limiter)
	}
	limiter.Allow()
}
