package aimbrain

import (
	"strconv"
	"strings"
)

// A Region is a deployment of the API. A key pair belongs to one region; users
// enrolled in one are unknown in the others.
type Region string

// Development is the vendor's development environment, which the vendor's quick
// start uses. It is not for production.
const Development Region = "development"

// The production regions of the API, as documented by the vendor.
const (
	USEast1      Region = "us-east-1"      // US East (N. Virginia)
	USWest1      Region = "us-west-1"      // US West (N. California)
	USWest2      Region = "us-west-2"      // US West (Oregon)
	APSouth1     Region = "ap-south-1"     // Asia Pacific (Mumbai)
	APNortheast2 Region = "ap-northeast-2" // Asia Pacific (Seoul)
	APSoutheast1 Region = "ap-southeast-1" // Asia Pacific (Singapore)
	APSoutheast2 Region = "ap-southeast-2" // Asia Pacific (Sydney)
	APNortheast1 Region = "ap-northeast-1" // Asia Pacific (Tokyo)
	EUCentral1   Region = "eu-central-1"   // EU (Frankfurt)
	EUWest1      Region = "eu-west-1"      // EU (Ireland)
	SAEast1      Region = "sa-east-1"      // South America (São Paulo)
)

// Regions returns all regions: the production ones in the order of the vendor's
// documentation, then [Development].
func Regions() []Region {
	return []Region{
		USEast1, USWest1, USWest2, APSouth1, APNortheast2, APSoutheast1,
		APSoutheast2, APNortheast1, EUCentral1, EUWest1, SAEast1, Development,
	}
}

// ParseRegion returns the region of that name, such as "eu-west-1". The error
// is a [*ConfigError] that holds the name and lists those that exist.
func ParseRegion(name string) (Region, error) {
	for _, r := range Regions() {
		if string(r) == name {
			return r, nil
		}
	}
	return "", &ConfigError{Parameter: "region", Reason: shown(name) + " is not one of " + regionNames() + "; for another host set its base URL"}
}

// regionNames lists the regions for an error.
func regionNames() string {
	names := make([]string, 0, len(Regions()))
	for _, r := range Regions() {
		names = append(names, string(r))
	}
	return strings.Join(names, ", ")
}

// shown quotes a name for an error. One longer than any region's may be a credential that was
// set in the wrong place, and is not shown.
func shown(name string) string {
	if len(name) > 16 {
		return "(" + strconv.Itoa(len(name)) + " bytes)"
	}
	return strconv.QuoteToASCII(name)
}

// String returns the region's identifier, such as "eu-west-1".
func (r Region) String() string { return string(r) }

// Name returns the region's name for people, such as "EU (Ireland)", or its
// identifier when it is not one of [Regions].
func (r Region) Name() string {
	switch r {
	case USEast1:
		return "US East (N. Virginia)"
	case USWest1:
		return "US West (N. California)"
	case USWest2:
		return "US West (Oregon)"
	case APSouth1:
		return "Asia Pacific (Mumbai)"
	case APNortheast2:
		return "Asia Pacific (Seoul)"
	case APSoutheast1:
		return "Asia Pacific (Singapore)"
	case APSoutheast2:
		return "Asia Pacific (Sydney)"
	case APNortheast1:
		return "Asia Pacific (Tokyo)"
	case EUCentral1:
		return "EU (Frankfurt)"
	case EUWest1:
		return "EU (Ireland)"
	case SAEast1:
		return "South America (São Paulo)"
	case Development:
		return "Development"
	}
	return string(r)
}

// BaseURL returns the base URL of the region's deployment, such as
// "https://api.eu-west-1.aimbrain.com/".
func (r Region) BaseURL() string {
	if r == Development {
		return "https://api.aimbrain.com/"
	}
	return "https://api." + string(r) + ".aimbrain.com/"
}
