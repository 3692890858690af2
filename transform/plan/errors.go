package plan

// LimitError says which limit a source or a result is over.
type LimitError struct {
	Limit string // the limit's word in the configuration: "source_pixels"
	Msg   string // the figures: "the result would have 120,000,000 pixels; at most 50,000,000 are allowed"
}

// Error returns one sentence that names the limit.
func (e *LimitError) Error() string { return e.Msg + " (limit " + e.Limit + ")" }
