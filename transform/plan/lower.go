package plan

// lower completes ops, which are in upright coordinates, with the turn to upright and the conversion of colours, and
// puts the two where the picture is smallest: that turns and converts thousands of pixels instead of millions. The place
// is behind some of the crops and resizes at the start, whose coordinates become those of the picture as stored, and
// before all that paints a colour or looks at the picture.
func lower(ops []Op, s Source, colour Colour) []Op {
	w, h := s.Upright()
	n := smallestAfter(ops, dims{w, h})
	lowered := make([]Op, 0, len(ops)+2)
	upright := dims{w, h}
	for _, op := range ops[:n] {
		lowered = append(lowered, stored(op, upright, s.Orientation))
		upright = after(op, upright)
	}
	if s.Orientation > 1 {
		lowered = append(lowered, Orient{s.Orientation})
	}
	lowered = append(lowered, colour)
	return append(lowered, ops[n:]...)
}

// smallestAfter returns after how many of the leading crops, resizes, quarter turns and mirrorings the picture is smallest;
// the last of these is no turn.
func smallestAfter(ops []Op, size dims) (n int) {
	least := size.area()
	for i, op := range ops {
		switch op.(type) {
		case Crop, Resize:
		default:
			if orientationOf(op) == 0 {
				return n
			}
		}
		size = after(op, size)
		if size.area() < least {
			n, least = i+1, size.area()
		}
	}
	return n
}

// after returns the size of the picture after a crop, resize or turn.
func after(op Op, size dims) dims {
	switch o := op.(type) {
	case Crop:
		return dims{o.Width, o.Height}
	case Resize:
		return dims{o.Width, o.Height}
	case Rotate:
		return dims{o.Width, o.Height}
	}
	return size
}

// stored turns a crop or resize of an upright picture into the one that does the same before the EXIF orientation is
// applied.
func stored(op Op, upright dims, orientation int) Op {
	swapped := orientation >= 5
	switch o := op.(type) {
	case Resize:
		if swapped {
			o.Width, o.Height = o.Height, o.Width
		}
		return o
	case Crop:
		switch orientation {
		case 2, 3, 6, 7: // columns of the upright picture run against the stored order
			o.X = upright.width - o.X - o.Width
		}
		switch orientation {
		case 3, 4, 7, 8: // rows do
			o.Y = upright.height - o.Y - o.Height
		}
		if swapped {
			o.X, o.Y, o.Width, o.Height = o.Y, o.X, o.Height, o.Width
		}
		return o
	}
	return op
}

// loadOf says how to decode for ops, which are in upright coordinates.
func loadOf(ops []Op, s Source, frames int, l Limits) Load {
	load := Load{Format: s.Format, Shrink: 1, Scale: 1, Frames: frames, Page: s.Page}
	if len(ops) == 0 {
		return load
	}
	first, resizes := ops[0].(Resize)
	if !resizes {
		return load
	}
	to := dims{first.Width, first.Height}
	w, h := s.Upright()
	switch s.Format {
	case JPEG:
		load.Shrink = shrink(dims{w, h}, to)
	case WebP:
		// libwebp scales colours without regard to alpha, so fringes would show; and only still pictures.
		if !s.Alpha && frames == 1 && s.Frames == 1 && s.Pages <= 1 {
			load.Scale = 1 / float64(shrink(dims{w, h}, to))
		}
	case SVG, PDF:
		load.Scale = vectorScale(dims{w, h}, to, l)
		if s.zoom != 0 {
			load.Scale *= s.zoom
		}
		if s.Format == PDF { // poppler draws no page of less than a pixel
			own := dims{w, h}
			if s.zoom != 0 {
				own = s.own
			}
			load.Scale = max(load.Scale, 1/float64(min(own.width, own.height)))
		}
	}
	return load
}

// shrink returns the largest factor of 8, 4, 2 and 1 (those of the JPEG decoder) that leaves a factor of 1.5 or more to the resize that follows,
// so that its filter still sees more pixels than it makes.
func shrink(from, to dims) int {
	for _, n := range []int{8, 4, 2} {
		if 2*from.width >= 3*n*to.width && 2*from.height >= 3*n*to.height {
			return n
		}
	}
	return 1
}

// maxVectorSide is the longest side that cairo draws.
const maxVectorSide = 32767

// vectorScale returns the scale at which a vector is rendered before it is resized: that of the axis that grows more,
// so that both are sharp, unless limits forbid a picture that much larger than the result.
func vectorScale(from, to dims, l Limits) float64 {
	x, y := float64(to.width)/float64(from.width), float64(to.height)/float64(from.height)
	scale := max(x, y)
	rendered := dims{pixels(scale * float64(from.width)), pixels(scale * float64(from.height))}
	if checkSize(picture{dims: rendered, frames: 1}, l) != nil {
		scale = min(x, y)
	}
	return min(scale, maxVectorSide/float64(from.longer()))
}

func (d dims) area() int64 { return int64(d.width) * int64(d.height) }
