package fit

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/jpeg"
	"image/png"
	"math"
	"sort"
	"strconv"

	"golang.org/x/image/webp"

	"github.com/aimbrain/aimbrain-go/media"
)

const (
	// quality is the quality of the first attempt, on the scale of image/jpeg.
	// Only noise needs more than 500 kB with it.
	quality = 90
	// minQuality is the lowest quality. Below it the blocks of the encoding are
	// visible in a face.
	minQuality = 40
	// maxProportion is how many times longer than the other side one may be. The
	// rows of a picture are converted one block at a time, which saves memory
	// unless there are only a few.
	maxProportion = 50
	// bytesPerPixel limits the memory of a decoder, see [WithMaxPixels].
	bytesPerPixel = 8
)

// Photo returns a photo as a JPEG that the API accepts by its format: 640 pixels on
// the longer side and 480 on the shorter at most, upright, 500,000 bytes at most,
// and without metadata such as EXIF, which may have the place. The photo may be a
// JPEG (baseline or progressive, in gray, YCbCr, RGB or CMYK), a PNG or a WebP. Its
// EXIF orientation is applied, transparent parts become white, and colour profiles
// are dropped. A photo is never enlarged.
//
// A JPEG that is within all limits keeps its coded picture, and loses only its
// metadata. Any other is encoded with quality 90, or with the highest lower one that
// fits.
//
// The error is an [*Error] if the photo cannot be fitted, or that of an option.
// Photo does not look for a face. data is not changed, and the result shares no
// memory with it.
func Photo(data []byte, options ...PhotoOption) ([]byte, error) {
	c, err := newPhotoConfig(options)
	if err != nil {
		return nil, err
	}
	p, refused := openPhoto(data)
	if refused == nil {
		refused = p.checkSize(data, c.maxPixels)
	}
	if refused != nil {
		return nil, refused
	}
	img, err := p.decode(data)
	if err != nil {
		return nil, refuseDecoder(data, err)
	}
	if fitted := p.keep(img, c.maxBytes); fitted != nil {
		return fitted, nil
	}
	w, h := fitSize(p.width, p.height)
	fitted, err := encode(turn(scale(img, w, h), p.orientation), c.maxBytes)
	if err != nil {
		return nil, err
	}
	if fitted == nil {
		e := refuse(data, media.Face, "the photo does not fit into "+strconv.Itoa(c.maxBytes)+" bytes in an acceptable quality", media.RuleSize, fixBytes)
		// A command of the report would not make it smaller than this.
		e.Problem.Message, e.Problem.Fix, e.Problem.Command = e.Reason, fixBytes, nil
		return nil, e
	}
	return fitted, nil
}

// photo is what the headers of a photo say.
type photo struct {
	width, height int // as stored
	orientation   int
	memory        int64 // of its decoder, in bytes
	decoder       func(data []byte) (image.Image, error)
	jpeg          *jpegFile // nil for another format
}

func openPhoto(data []byte) (photo, *Error) {
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xd8\xff")):
		return openJPEG(data)
	case bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1a\n")):
		return openPNG(data)
	case len(data) >= 12 && string(data[:4]) == "RIFF" && string(data[8:12]) == "WEBP":
		return openWebP(data)
	}
	return photo{}, refuse(data, media.Face, notDecoded(media.Inspect(data), "JPEG, PNG and WebP are"), "", fixFile)
}

// notDecoded names a format that is not read here.
func notDecoded(report media.Report, those string) string {
	name := string(report.Format)
	if name == "" {
		name = "this format"
	}
	return name + " is not decoded here, " + those
}

func openJPEG(data []byte) (photo, *Error) {
	f, ok := parseJPEG(data)
	same, err := f.matchesDecoder(data)
	switch {
	case err != nil:
		return photo{}, refuseDecoder(data, err)
	case !ok:
		return photo{}, refuse(data, media.Face, "the JPEG is damaged or cut off", media.RuleReadable, fixFile)
	case !same:
		return photo{}, refuse(data, media.Face, "the JPEG is damaged: its headers contradict each other", media.RuleReadable, fixFile)
	case f.scans > maxScans:
		return photo{}, refuse(data, media.Face, "the JPEG has more scans than any picture needs", media.RuleReadable, fixFile)
	}
	return photo{
		width: f.width, height: f.height, orientation: f.orientation, memory: f.decoderBytes(), jpeg: &f,
		decoder: func(data []byte) (image.Image, error) { return jpeg.Decode(bytes.NewReader(data)) },
	}, nil
}

func openPNG(data []byte) (photo, *Error) {
	const header = 8 + 8 + 13 // the signature, and IHDR without its checksum
	config, err := png.DecodeConfig(bytes.NewReader(data))
	if err != nil && len(data) >= header {
		w, h := binary.BigEndian.Uint32(data[16:]), binary.BigEndian.Uint32(data[20:])
		if max(w, h) <= math.MaxInt32 && uint64(w)*uint64(h) > math.MaxInt32/8 {
			// Where an int has 32 bits the decoder cannot count their bytes. The limit
			// refuses them.
			config, err = image.Config{Width: int(w), Height: int(h)}, nil
		}
	}
	if err != nil {
		return photo{}, refuseDecoder(data, err)
	}
	p := photo{
		width: config.Width, height: config.Height, orientation: 1,
		decoder: func(data []byte) (image.Image, error) { return png.Decode(bytes.NewReader(data)) },
	}
	for at := 8; len(data)-at >= 12; {
		size := binary.BigEndian.Uint32(data[at:])
		if uint64(size) > uint64(len(data)-at-12) {
			break
		}
		if string(data[at+4:at+8]) == "eXIf" {
			p.orientation = orientation(data[at+8 : at+8+int(size)])
			break
		}
		at += 12 + int(size)
	}
	perPixel := int64(4)
	if depth := data[24]; depth == 16 { // png.DecodeConfig has read it
		perPixel = 8
	}
	if interlaced := data[28] == 1; interlaced { // each pass is a picture of its own
		perPixel *= 2
	}
	p.memory = perPixel * int64(p.width) * int64(p.height)
	return p, nil
}

func openWebP(data []byte) (photo, *Error) {
	damaged := func() (photo, *Error) {
		return photo{}, refuse(data, media.Face, "the WebP is damaged or cut off", media.RuleReadable, fixFile)
	}
	// The decoder allocates by the sizes of chunks: they must be inside the file.
	end := uint64(binary.LittleEndian.Uint32(data[4:])) + 8
	if end > uint64(len(data)) {
		return damaged()
	}
	p := photo{orientation: 1, decoder: func(data []byte) (image.Image, error) { return webp.Decode(bytes.NewReader(data)) }}
	for at := uint64(12); end-at >= 8; {
		size := uint64(binary.LittleEndian.Uint32(data[at+4:]))
		if size > end-at-8 {
			return damaged()
		}
		switch body := data[at+8 : at+8+size]; string(data[at : at+4]) {
		case "EXIF":
			p.orientation = orientation(bytes.TrimPrefix(body, []byte("Exif\x00\x00")))
		case "ANIM", "ANMF":
			return photo{}, refuse(data, media.Face, "an animated WebP is not decoded here", "", fixFile)
		}
		if at += 8 + size + size&1; at > end {
			break
		}
	}
	config, err := webp.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return damaged()
	}
	p.width, p.height = config.Width, config.Height
	p.memory = bytesPerPixel * int64(p.width) * int64(p.height) // a lossless one, or one with transparency
	return p, nil
}

// checkSize refuses a photo whose decoder would use too much memory.
func (p *photo) checkSize(data []byte, maxPixels int) *Error {
	pixels := int64(p.width) * int64(p.height)
	switch {
	case pixels == 0:
		return refuse(data, media.Face, "the photo has no pixels", media.RuleReadable, fixFile)
	case max(p.width, p.height) > maxProportion*min(p.width, p.height):
		return refuse(data, media.Face, strconv.Itoa(p.width)+"×"+strconv.Itoa(p.height)+" is too narrow for a face", media.RulePictureSize, fixStrip)
	case pixels > int64(maxPixels):
		return refuse(data, media.Face, strconv.Itoa(p.width)+"×"+strconv.Itoa(p.height)+
			" is more than the limit of "+strconv.Itoa(maxPixels)+" pixels", media.RulePictureSize, fixPixels)
	case p.memory/bytesPerPixel > int64(maxPixels):
		return refuse(data, media.Face, strconv.Itoa(p.width)+"×"+strconv.Itoa(p.height)+
			" in this encoding need more memory than the limit of "+strconv.Itoa(maxPixels)+" pixels allows", media.RulePictureSize, fixPixels)
	}
	return nil
}

func (p *photo) decode(data []byte) (image.Image, error) {
	img, err := p.decoder(data)
	if err == nil && (img.Bounds().Dx() != p.width || img.Bounds().Dy() != p.height) {
		err = errors.New("another size than in the header")
	}
	return img, err
}

// refuseDecoder returns the error for one of a decoder.
func refuseDecoder(data []byte, err error) *Error {
	var lacking jpeg.UnsupportedError
	var lackingPNG png.UnsupportedError
	if errors.As(err, &lacking) || errors.As(err, &lackingPNG) {
		return refuse(data, media.Face, "the photo has an encoding that is not decoded here", "", fixFile)
	}
	return refuse(data, media.Face, "the photo is damaged or cut off", media.RuleReadable, fixFile)
}

// keep returns a JPEG whose picture is within all limits, without its metadata, or
// nil for any other photo.
func (p *photo) keep(img image.Image, maxBytes int) []byte {
	if p.jpeg == nil || p.orientation != 1 {
		return nil
	}
	switch img.(type) {
	case *image.YCbCr, *image.Gray:
	default:
		return nil
	}
	if w, h := fitSize(p.width, p.height); w != p.width || h != p.height {
		return nil
	}
	if fitted := p.jpeg.stripped(); len(fitted) <= maxBytes {
		return fitted
	}
	return nil
}

// encode returns a JPEG of maxBytes at most, of the highest quality that fits, or
// nil if none does.
func encode(img image.Image, maxBytes int) ([]byte, error) {
	var out bytes.Buffer
	var failed error
	fits := func(quality int) bool {
		out.Reset()
		if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: quality}); err != nil {
			failed = err
		}
		return len(jfifHeader)-2+out.Len() <= maxBytes
	}
	if !fits(quality) {
		// The first number of steps down that fits.
		steps := sort.Search(quality-minQuality+1, func(steps int) bool { return fits(quality - steps) })
		if steps > quality-minQuality {
			return nil, failed
		}
		fits(quality - steps)
	}
	if failed != nil {
		return nil, failed
	}
	// image/jpeg writes no such header, and some readers want one.
	return append([]byte(jfifHeader), out.Bytes()[2:]...), nil
}

// turn returns an upright picture for an EXIF orientation of 1 to 8. img is a result
// of scale.
func turn(img image.Image, orientation int) image.Image {
	if orientation == 1 {
		return img
	}
	w, h := img.Bounds().Dx(), img.Bounds().Dy()
	if orientation > 4 {
		w, h = h, w
	}
	area := image.Rect(0, 0, w, h)
	switch src := img.(type) {
	case *image.YCbCr:
		out := image.NewYCbCr(area, image.YCbCrSubsampleRatio444)
		turnPlane(out.Y, src.Y, w, h, 1, orientation)
		turnPlane(out.Cb, src.Cb, w, h, 1, orientation)
		turnPlane(out.Cr, src.Cr, w, h, 1, orientation)
		return out
	case *image.Gray:
		out := image.NewGray(area)
		turnPlane(out.Pix, src.Pix, w, h, 1, orientation)
		return out
	case *image.RGBA:
		out := image.NewRGBA(area)
		turnPlane(out.Pix, src.Pix, w, h, 4, orientation)
		return out
	}
	return img
}

// turnPlane fills dst, w×h pixels of size bytes, from src.
func turnPlane(dst, src []byte, w, h, size, orientation int) {
	stride := w // of src, in pixels
	if orientation > 4 {
		stride = h
	}
	for y := range h {
		for x := range w {
			// The position in the stored picture.
			sx, sy := x, y
			switch orientation {
			case 2:
				sx = w - 1 - x
			case 3:
				sx, sy = w-1-x, h-1-y
			case 4:
				sy = h - 1 - y
			case 5:
				sx, sy = y, x
			case 6:
				sx, sy = y, w-1-x
			case 7:
				sx, sy = h-1-y, w-1-x
			case 8:
				sx, sy = h-1-y, x
			}
			copy(dst[(y*w+x)*size:][:size], src[(sy*stride+sx)*size:])
		}
	}
}
