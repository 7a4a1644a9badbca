package mediainfo

// maxTags is more than cameras write before the orientation.
const maxTags = 100

// orientation reads the EXIF orientation of a segment, 0 if there is none. Faults
// in EXIF data are no faults of the picture.
func orientation(src *source, seg segment) (int, error) {
	const prefix = "Exif\x00\x00"
	p, err := src.at(seg.start, min(seg.size, len(prefix)+8))
	if err != nil || len(p) < len(prefix)+8 || string(p[:len(prefix)]) != prefix {
		return 0, err
	}
	tiff := p[len(prefix):]
	var big bool
	switch string(tiff[:4]) {
	case "II*\x00":
	case "MM\x00*":
		big = true
	default:
		return 0, nil
	}
	// Offsets count from the start of the TIFF header.
	start, size := seg.start+uint64(len(prefix)), uint64(seg.size-len(prefix))
	at := uint64(num32(big, tiff[4:]))
	if at+2 > size {
		return 0, nil
	}
	if p, err = src.at(start+at, 2); err != nil {
		return 0, err
	}
	entries := min(uint64(num16(big, p)), (size-at-2)/12, maxTags)
	for i := range entries {
		p, err := src.at(start+at+2+12*i, 12)
		if err != nil {
			return 0, err
		}
		if num16(big, p) != 0x0112 {
			continue
		}
		value := 0
		switch num16(big, p[2:]) {
		case 3: // a number of 16 bits
			value = num16(big, p[8:])
		case 4: // of 32 bits, as some writers use
			value = int(min(num32(big, p[8:]), 9))
		}
		if num32(big, p[4:]) != 1 || value > 8 {
			return 0, nil
		}
		return value, nil
	}
	return 0, nil
}

func num16(big bool, b []byte) int {
	if big {
		return be16(b)
	}
	return le16(b)
}

func num32(big bool, b []byte) uint32 {
	if big {
		return be32(b)
	}
	return le32(b)
}
