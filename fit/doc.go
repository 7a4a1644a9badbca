// Package fit turns photos and recordings into what the API takes. It decodes
// nothing but what it can handle completely: [Photo] returns a small upright JPEG
// without metadata, [Recording] a WAV with 16 bits at 16 kHz. What they cannot fit they
// refuse with an [*Error], which has the problem and its fix from package media.
package fit
