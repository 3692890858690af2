package plan

// LimitError says which limit a source or a result is over.
type LimitError struct {
	Limit string // the limit's word in the configuration: "source_pixels"; "" for one that a file format has
	Msg   string // the figures: "the result would have 120,000,000 pixels; at most 50,000,000 are allowed"
}

// Error returns one sentence that names the limit.
func (e *LimitError) Error() string {
	if e.Limit == "" {
		return e.Msg
	}
	return e.Msg + " (limit " + e.Limit + ")"
}
