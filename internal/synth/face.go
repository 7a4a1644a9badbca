package synth

import (
	"math"
	"strconv"
)

// A ycc is a colour in Y, Cb, Cr.
type ycc [3]uint8

// The parts of a face, painted in this order.
const (
	partBackground = iota
	partShirt
	partHair
	partSkin
	partShade // neck and nose
	partWhite
	partIris
	partPupil
	partBrow
	partLips
	partCount
)

// ellipse is one stroke of the drawing. The coordinates along a picture's
// shorter side are -1000 to 1000, with 0 in the middle.
type ellipse struct{ part, x, y, rx, ry int }

// face is a drawing of a person. All numbers that decide about a pixel are
// integers, so that the drawing is the same on every platform.
type face struct {
	width, height int
	colors        [partCount]ycc
	parts         []uint8 // the part of each pixel
	// The brightness that is added to each column and each row.
	lightAcross, lightDown []int
}

func newFace(s Spec) *face {
	f := &face{width: s.Width, height: s.Height}
	who := Seed("face", s.Subject)
	f.paint(who)

	// These make the pictures of one person differ.
	how := Seed("picture", s.Subject, strconv.Itoa(s.Variant), s.Token)
	f.light(how.Between(-24, 24), how.Between(-16, 16))
	dx, dy, turn := how.Between(-60, 60), how.Between(-40, 40), how.Between(-25, 25)
	open := how.Between(0, 25)

	rx, ry := who.Between(430, 520), who.Between(600, 690)
	eyes, eyeY := who.Between(180, 230), who.Between(-140, -80)
	eye, iris := who.Between(75, 100), who.Between(36, 46)
	brow, hair := who.Between(18, 40), who.Between(40, 130)
	nose, mouth, lips := who.Between(40, 70), who.Between(130, 220), who.Between(28, 50)
	mouthY := who.Between(310, 380)

	strokes := []ellipse{
		{partShirt, dx, dy + 1150, 850, 420},
		{partShade, dx, dy + 650, 210, 300},
		{partHair, dx, dy - hair, rx + hair, ry},
		{partSkin, dx, dy + 40, rx, ry - 20},
		{partShade, dx + turn*2, dy + 130, nose, 110},
		{partLips, dx + turn, dy + mouthY, mouth, lips + open},
	}
	for _, side := range [...]int{-1, 1} {
		x, y := dx+turn+side*eyes, dy+eyeY
		strokes = append(strokes,
			ellipse{partBrow, x, y - 110, 120, brow},
			ellipse{partWhite, x, y, eye, 55},
			ellipse{partIris, x + turn/2, y, iris, iris},
			ellipse{partPupil, x + turn/2, y, 17, 17})
	}
	f.draw(strokes)
	return f
}

// paint picks the colours: any lightness, and hues that people have.
func (f *face) paint(r *Rand) {
	color := func(yLo, yHi, cbLo, cbHi, crLo, crHi int) ycc {
		return ycc{uint8(r.Between(yLo, yHi)), uint8(r.Between(cbLo, cbHi)), uint8(r.Between(crLo, crHi))}
	}
	skin := color(95, 195, 104, 114, 144, 156)
	f.colors = [partCount]ycc{
		partBackground: color(120, 200, 110, 150, 108, 134),
		partShirt:      color(50, 180, 90, 170, 90, 170),
		partHair:       color(25, 120, 104, 124, 130, 150),
		partSkin:       skin,
		partShade:      {skin[0] - 20, skin[1], skin[2] + 2},
		partWhite:      {220, 128, 128},
		partIris:       color(50, 120, 100, 150, 110, 136),
		partPupil:      {24, 128, 128},
		partBrow:       color(25, 70, 112, 124, 130, 142),
		partLips:       {skin[0] - 30, 112, 172},
	}
}

// light makes one side of the picture lighter than the other.
func (f *face) light(right, down int) {
	slope := func(n, by int) []int {
		s := make([]int, n)
		for i := range s {
			s[i] = by * (2*i + 1 - n) / n
		}
		return s
	}
	f.lightAcross, f.lightDown = slope(f.width, right), slope(f.height, down)
}

// draw fills the ellipses. Later ones cover earlier ones.
func (f *face) draw(strokes []ellipse) {
	f.parts = make([]uint8, f.width*f.height)
	side := min(f.width, f.height)
	for y := range f.height {
		row := f.parts[y*f.width : (y+1)*f.width]
		at := (2*y + 1 - f.height) * 1000 / side
		for _, e := range strokes {
			dy := at - e.y
			if dy < -e.ry || dy > e.ry {
				continue
			}
			half := e.rx * int(math.Sqrt(float64(e.ry*e.ry-dy*dy))) / e.ry
			column := func(x int) int { return max(0, min(f.width, (x*side/1000+f.width)/2)) }
			for x, end := column(e.x-half), column(e.x+half); x < end; x++ {
				row[x] = uint8(e.part)
			}
		}
	}
}

// at returns the colour of a pixel without the light. For coordinates
// outside the picture it returns that of the border.
func (f *face) at(x, y int) ycc {
	x, y = min(x, f.width-1), min(y, f.height-1)
	return f.colors[f.parts[y*f.width+x]]
}

// luma returns the brightness of a pixel with the light.
func (f *face) luma(x, y int) uint8 {
	x, y = min(x, f.width-1), min(y, f.height-1)
	return uint8(max(16, min(235, int(f.at(x, y)[0])+f.lightAcross[x]+f.lightDown[y])))
}
