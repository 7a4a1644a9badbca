package fit

import "math"

// The low-pass filter in front of the new rate: a sinc in a Kaiser window. Its edges
// are at 0.9 and 1.0 of half the lower rate, 7.2 and 8 kHz for 16 kHz, with 80 dB
// between them, so that nothing above is mirrored into the voice.
const (
	zeroCrossings = 48 // of the sinc on each side
	rolloff       = 0.95
	kaiserBeta    = 7.86
	// tableSteps is the number of values between two zero crossings. Between them
	// the filter is interpolated linearly, which is exact to 110 dB.
	tableSteps = 512
	// maxPhases bounds the memory for filters that are kept. Usual rates have 160
	// at most.
	maxPhases = 1024
)

// resample returns the samples at another rate. A sample of the result is the sum of
// the samples around its time, weighted by the filter. For a ratio of L to M there
// are L positions between two samples, the phases, and so many sets of weights.
func resample(in []float32, from, to int) []float32 {
	if from == to {
		return in
	}
	n := int((int64(len(in))*int64(to) + int64(from)/2) / int64(from))
	out := make([]float32, n)
	divisor := gcd(from, to)
	f := newFilter(float64(min(from, to))/float64(from), to/divisor)
	step, phases := int64(from/divisor), int64(to/divisor)
	for i := range out {
		at := int64(i) * step
		first := int(at/phases) - f.half + 1
		weights := f.phase(int(at % phases))
		if first < 0 {
			weights = weights[min(-first, len(weights)):]
			first = 0
		}
		if first >= len(in) {
			continue
		}
		window := in[first:min(first+len(weights), len(in))]
		sum := float32(0)
		for j, v := range window {
			sum += v * weights[j]
		}
		out[i] = sum
	}
	return out
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

type filter struct {
	half   int       // samples on each side of a position
	scale  float64   // table values for the distance of one sample
	table  []float64 // one side of the filter
	phases int
	kept   [][]float32 // by phase, nil for one that was not needed yet
	buffer []float32   // of a phase that is not kept
}

// newFilter returns the filter for a low-pass at ratio of half the rate.
func newFilter(ratio float64, phases int) *filter {
	f := &filter{half: int(math.Ceil(zeroCrossings/(ratio*rolloff))) + 1, scale: ratio * rolloff * tableSteps, phases: phases}
	f.table = make([]float64, zeroCrossings*tableSteps+2)
	end := float64(zeroCrossings * tableSteps)
	for i := range f.table[:zeroCrossings*tableSteps] {
		x := float64(i)
		f.table[i] = sinc(x/tableSteps) * bessel0(kaiserBeta*math.Sqrt(1-x*x/(end*end))) / bessel0(kaiserBeta)
	}
	if phases <= maxPhases {
		f.kept = make([][]float32, phases)
	}
	f.buffer = make([]float32, 2*f.half)
	return f
}

// phase returns the weights for a position between two samples, whose sum is 1. They
// are valid until the next call.
func (f *filter) phase(phase int) []float32 {
	weights := f.buffer
	if f.kept != nil {
		if f.kept[phase] != nil {
			return f.kept[phase]
		}
		weights = make([]float32, 2*f.half)
		f.kept[phase] = weights
	}
	offset := float64(phase) / float64(f.phases)
	sum := 0.0
	value := func(i int) float64 {
		x := math.Abs(float64(i-f.half+1)-offset) * f.scale
		at := int(x)
		if at+1 >= len(f.table) {
			return 0
		}
		part := x - float64(at)
		return f.table[at]*(1-part) + f.table[at+1]*part
	}
	for i := range weights {
		v := value(i)
		weights[i] = float32(v)
		sum += v
	}
	for i := range weights {
		weights[i] = float32(float64(weights[i]) / sum)
	}
	return weights
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// bessel0 returns the modified Bessel function of order 0.
func bessel0(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > sum*1e-12; k++ {
		term *= (x / 2 / k) * (x / 2 / k)
		sum += term
	}
	return sum
}
