package origins

// Forgetter is an Origin that remembers something about objects: [Negative] what isn't there, [LastGood] who has it. Both
// pass on what they are told to those that they ask, and so does [Fallback], which remembers nothing itself.
//
// What an answer that is under way says of an object isn't remembered either once it was to be forgotten.
type Forgetter interface {
	// Forget makes the next request for the object that req names be made as if it were the first one. Query and Host
	// belong to the name of an object: whoever doesn't know with which ones it was asked for calls Clear.
	Forget(req Request)

	// Clear forgets all objects.
	Clear()
}

// forget passes Forget on to those of list that remember something.
func forget(list []Origin, req Request) {
	for _, o := range list {
		if f, ok := o.(Forgetter); ok {
			f.Forget(req)
		}
	}
}

// clearAll passes Clear on to those of list that remember something.
func clearAll(list []Origin) {
	for _, o := range list {
		if f, ok := o.(Forgetter); ok {
			f.Clear()
		}
	}
}

// Interface guards
var (
	_ Forgetter = (*negative)(nil)
	_ Forgetter = (*fallback)(nil)
)
