package aimbraintest

import (
	"math"
	"strconv"
)

// mediaColor is a colour in Y, Cb, Cr.
type mediaColor [3]uint8

// The parts of a face, painted in this order.
const (
	mediaBackground = iota
	mediaShirt
	mediaHair
	mediaSkin
	mediaShade // neck and nose
	mediaWhite
	mediaIris
	mediaPupil
	mediaBrow
	mediaLips
	mediaParts
)

// mediaEllipse is one stroke of the drawing. The coordinates along a picture's
// shorter side are -1000 to 1000, with 0 in the middle.
type mediaEllipse struct{ part, x, y, rx, ry int }

// mediaFace is a drawing of a person. All numbers that decide about a pixel are
// integers, so that the drawing is the same on every platform.
type mediaFace struct {
	width, height int
	colors        [mediaParts]mediaColor
	parts         []uint8 // the part of each pixel
	// The brightness that is added to each column and each row.
	lightAcross, lightDown []int
}

func mediaNewFace(s mediaSpec) *mediaFace {
	f := &mediaFace{width: s.width, height: s.height}
	who := mediaSeed("face", s.subject)
	f.paint(who)

	// These make the pictures of one person differ.
	how := mediaSeed("picture", s.subject, strconv.Itoa(s.variant), s.token)
	f.light(how.between(-24, 24), how.between(-16, 16))
	dx, dy, turn := how.between(-60, 60), how.between(-40, 40), how.between(-25, 25)
	open := how.between(0, 25)

	rx, ry := who.between(430, 520), who.between(600, 690)
	eyes, eyeY := who.between(180, 230), who.between(-140, -80)
	eye, iris := who.between(75, 100), who.between(36, 46)
	brow, hair := who.between(18, 40), who.between(40, 130)
	nose, mouth, lips := who.between(40, 70), who.between(130, 220), who.between(28, 50)
	mouthY := who.between(310, 380)

	strokes := []mediaEllipse{
		{mediaShirt, dx, dy + 1150, 850, 420},
		{mediaShade, dx, dy + 650, 210, 300},
		{mediaHair, dx, dy - hair, rx + hair, ry},
		{mediaSkin, dx, dy + 40, rx, ry - 20},
		{mediaShade, dx + turn*2, dy + 130, nose, 110},
		{mediaLips, dx + turn, dy + mouthY, mouth, lips + open},
	}
	for _, side := range [...]int{-1, 1} {
		x, y := dx+turn+side*eyes, dy+eyeY
		strokes = append(strokes,
			mediaEllipse{mediaBrow, x, y - 110, 120, brow},
			mediaEllipse{mediaWhite, x, y, eye, 55},
			mediaEllipse{mediaIris, x + turn/2, y, iris, iris},
			mediaEllipse{mediaPupil, x + turn/2, y, 17, 17})
	}
	f.draw(strokes)
	return f
}

// paint picks the colours: any lightness, and hues that people have.
func (f *mediaFace) paint(r *mediaRand) {
	color := func(yLo, yHi, cbLo, cbHi, crLo, crHi int) mediaColor {
		return mediaColor{uint8(r.between(yLo, yHi)), uint8(r.between(cbLo, cbHi)), uint8(r.between(crLo, crHi))}
	}
	skin := color(95, 195, 104, 114, 144, 156)
	f.colors = [mediaParts]mediaColor{
		mediaBackground: color(120, 200, 110, 150, 108, 134),
		mediaShirt:      color(50, 180, 90, 170, 90, 170),
		mediaHair:       color(25, 120, 104, 124, 130, 150),
		mediaSkin:       skin,
		mediaShade:      {skin[0] - 20, skin[1], skin[2] + 2},
		mediaWhite:      {220, 128, 128},
		mediaIris:       color(50, 120, 100, 150, 110, 136),
		mediaPupil:      {24, 128, 128},
		mediaBrow:       color(25, 70, 112, 124, 130, 142),
		mediaLips:       {skin[0] - 30, 112, 172},
	}
}

// light makes one side of the picture lighter than the other.
func (f *mediaFace) light(right, down int) {
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
func (f *mediaFace) draw(strokes []mediaEllipse) {
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
func (f *mediaFace) at(x, y int) mediaColor {
	x, y = min(x, f.width-1), min(y, f.height-1)
	return f.colors[f.parts[y*f.width+x]]
}

// luma returns the brightness of a pixel with the light.
func (f *mediaFace) luma(x, y int) uint8 {
	x, y = min(x, f.width-1), min(y, f.height-1)
	return uint8(max(16, min(235, int(f.at(x, y)[0])+f.lightAcross[x]+f.lightDown[y])))
}
