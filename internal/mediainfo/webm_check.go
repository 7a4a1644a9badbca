package mediainfo

// checkWebM checks a whole file. A recorder leaves the lengths of the segment and
// of its clusters open, so that the content of a cluster is read as if it followed
// the cluster.
func checkWebM(src *source) error {
	w, rest, err := parseWebM(src)
	if err != nil {
		return err
	}
	var pictures, sounds bool
	for {
		e, ok, err := rest.next()
		switch {
		case err != nil:
			return err
		case !ok && w.cut:
			return short(WebM, "ends inside the segment")
		case !ok: // bytes behind the segment are no fault
			return w.check(pictures, sounds)
		case e.cut, e.open && e.id != webmCluster:
			return short(WebM, "ends inside an element")
		case e.id == webmCluster || e.id == webmGroup:
			rest.pos = e.start
		case e.id == webmBlock || e.id == webmSimpleBlock:
			p, err := e.read(src, 1)
			if err != nil {
				return err
			}
			if len(p) == 0 || p[0] < 0x80 { // more tracks than any recorder has
				break
			}
			pictures = pictures || uint64(p[0]&0x7f) == w.video.number
			sounds = sounds || uint64(p[0]&0x7f) == w.audio.number
		}
	}
}

func (w *webmFile) check(pictures, sounds bool) error {
	v := &w.video
	switch {
	case v.kind == 0 && w.audio.kind == 0:
		return bad(WebM, "no video or audio track")
	case v.kind != 0 && (v.width == 0 || v.height == 0):
		return bad(WebM, "the track gives an empty picture")
	case v.kind != 0 && !pictures:
		return bad(WebM, "no samples of video")
	case v.kind == 0 && !sounds:
		return bad(WebM, "no samples")
	}
	return nil
}
