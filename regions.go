package aimbrain

import "strings"

// A Region is where a production deployment of the API runs. A key pair
// belongs to one region; users enrolled in one are unknown in the others.
type Region string

// The regions of the API, as documented by the vendor.
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

// DevelopmentURL is the base URL of the development environment, which a
// client calls when it is told neither a region nor a base URL.
const DevelopmentURL = "https://api.aimbrain.com/"

// Regions lists all regions, in the order of the vendor's documentation.
func Regions() []Region {
	return []Region{
		USEast1, USWest1, USWest2, APSouth1, APNortheast2, APSoutheast1,
		APSoutheast2, APNortheast1, EUCentral1, EUWest1, SAEast1,
	}
}

// ParseRegion returns the region of that name, such as "eu-west-1". The error
// is a [*ConfigError] that lists the names there are.
func ParseRegion(name string) (Region, error) {
	names := make([]string, 0, len(Regions()))
	for _, r := range Regions() {
		if string(r) == name {
			return r, nil
		}
		names = append(names, string(r))
	}
	return "", &ConfigError{Parameter: "region", Reason: "is not one of " + strings.Join(names, ", ") + "; for another host give its base URL"}
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
	}
	return string(r)
}

// BaseURL returns the base URL of the region's deployment, such as
// "https://api.eu-west-1.aimbrain.com/".
func (r Region) BaseURL() string { return "https://api." + string(r) + ".aimbrain.com/" }
