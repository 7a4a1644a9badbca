package fit

import "encoding/binary"

// maxTags is more than cameras write before the orientation.
const maxTags = 100

// orientation returns the EXIF orientation of a TIFF structure, 1 to 8. It is 1,
// upright, if the structure has none or is damaged: that is no fault of the
// picture.
func orientation(tiff []byte) int {
	if len(tiff) < 8 {
		return 1
	}
	var order binary.ByteOrder
	switch string(tiff[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return 1
	}
	at := uint64(order.Uint32(tiff[4:]))
	if at+2 > uint64(len(tiff)) {
		return 1
	}
	entries := tiff[at+2:]
	for range min(int(order.Uint16(tiff[at:])), maxTags) {
		if len(entries) < 12 {
			break
		}
		entry := entries[:12]
		entries = entries[12:]
		if order.Uint16(entry) != 0x0112 {
			continue
		}
		value := uint32(0)
		switch order.Uint16(entry[2:]) {
		case 3: // a number of 16 bits
			value = uint32(order.Uint16(entry[8:]))
		case 4: // of 32 bits, as some writers use
			value = order.Uint32(entry[8:])
		}
		if order.Uint32(entry[4:]) != 1 || value < 1 || value > 8 {
			return 1
		}
		return int(value)
	}
	return 1
}
