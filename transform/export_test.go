package transform

// Endpoints returns of how many endpoints the gate remembers something.
func (g *Gate) Endpoints() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.lines.endpoints)
}
