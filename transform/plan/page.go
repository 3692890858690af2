package plan

import (
	"fmt"

	"github.com/imageorigin/imageorigin/transform/syntax"
)

// PageOf returns which page of a file, or frame of an animation, a chain asks for (pg), from 0 on, and whether it asks at
// all. It stands in no branch, so that it is known before the file is looked at.
func PageOf(c syntax.Chain) (page int, asked bool) {
	it, asked := pageItem(c)
	if n, ok := it.Value.(syntax.Integer); ok {
		page = int(n) - 1
	}
	return page, asked
}

// pageItem returns the last pg of a chain.
func pageItem(c syntax.Chain) (it syntax.Item, asked bool) {
	for _, s := range c {
		if pg, given := s.Item("pg"); given {
			it, asked = pg, true
		}
	}
	return it, asked
}

// onePage returns the source as the still picture that is made of one of its pages, if that is asked for.
func onePage(c syntax.Chain, s Source, still bool, l Limits) (Source, error) {
	it, asked := pageItem(c)
	page, _ := PageOf(c)
	switch {
	case asked && !still:
		return s, refuse(it, "needs /ik-thumbnail.jpg behind the path of the file, which asks for the still picture of a page")
	case !still:
		return s, nil
	case page >= s.Pages:
		return s, refuse(it, fmt.Sprintf("there is no page %d; the file has %s", page+1, s.countPages()))
	case page != s.Page:
		return s, fmt.Errorf("resolving a plan: the facts of the original are those of page %d, not %d", s.Page+1, page+1)
	}
	if s.Format.Animated() {
		s.Frames = page + 1 // a frame is painted onto those before it
		if most := l.SourcePixels; most > 0 && s.pixels() > most {
			return s, &LimitError{Limit: sourcePixels, Msg: fmt.Sprintf("up to frame %s the original has %s pixels; at most %s are allowed",
				figure(page+1), figure(s.pixels()), figure(most))}
		}
	}
	s.Frames = 1
	return s, nil
}

// countPages tells how many pages there are, by the word for those of the format.
func (s Source) countPages() string {
	word := "page"
	if s.Format.Animated() {
		word = "frame"
	}
	if s.Pages != 1 {
		word += "s"
	}
	return figure(s.Pages) + " " + word
}

// like returns the format that negotiation takes the source for: a still picture of a page is as good as a JPEG.
func (r *resolver) like() Format {
	if r.hints.Still {
		return JPEG
	}
	return r.source.Format
}
