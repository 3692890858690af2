package plan

// fold takes quarter turns and mirrorings among the leading ops into the orientation of the source, where the picture gets
// smaller behind them: rt-90:w-300 then turns 300 pixels and not thousands, and decoders help with the shrinking. Ops
// before a turn are put into coordinates behind it.
func fold(ops []Op, s Source) ([]Op, Source) {
	w, h := s.Upright()
	at := dims{w, h}
	n := smallestAfter(ops, at)
	folded := make([]Op, 0, len(ops))
	var inputs []dims // of the folded ops
	for _, op := range ops[:n] {
		turn := orientationOf(op)
		if turn == 0 {
			folded, inputs = append(folded, op), append(inputs, at)
		} else {
			for i := range folded {
				folded[i] = stored(folded[i], inputs[i], inverse(turn))
				inputs[i] = inputs[i].oriented(turn)
			}
			s.Orientation = oriented(s.Orientation, turn)
		}
		at = after(op, at)
	}
	return append(folded, ops[n:]...), s
}

// orientationOf returns the EXIF orientation that does what op does; 0 for ops that are no quarter turn or mirroring.
func orientationOf(op Op) int {
	switch o := op.(type) {
	case Rotate:
		switch o.Degrees {
		case 90:
			return 6
		case 180:
			return 3
		case 270:
			return 8
		}
	case Flip:
		switch {
		case o.Horizontal && o.Vertical:
			return 3
		case o.Horizontal:
			return 2
		case o.Vertical:
			return 4
		}
	}
	return 0
}

// orientations are what the EXIF orientations do to coordinates, as matrices by rows: x to the right, y down.
var orientations = [...][4]int{
	1: {1, 0, 0, 1},
	2: {-1, 0, 0, 1},
	3: {-1, 0, 0, -1},
	4: {1, 0, 0, -1},
	5: {0, 1, 1, 0},
	6: {0, -1, 1, 0},
	7: {0, -1, -1, 0},
	8: {0, 1, -1, 0},
}

// oriented returns the orientation that does first what the one does, then what the other.
func oriented(first, then int) int {
	a, b := orientations[then], orientations[first]
	both := [4]int{a[0]*b[0] + a[1]*b[2], a[0]*b[1] + a[1]*b[3], a[2]*b[0] + a[3]*b[2], a[2]*b[1] + a[3]*b[3]}
	for orientation := 1; orientation < len(orientations); orientation++ {
		if orientations[orientation] == both {
			return orientation
		}
	}
	return 1 // unreachable: the eight are a group
}

// inverse returns the orientation that undoes another.
func inverse(orientation int) int {
	switch orientation {
	case 6:
		return 8
	case 8:
		return 6
	}
	return orientation
}

// oriented returns the size of the picture after an orientation is applied.
func (d dims) oriented(orientation int) dims {
	if orientation >= 5 {
		return dims{d.height, d.width}
	}
	return d
}
