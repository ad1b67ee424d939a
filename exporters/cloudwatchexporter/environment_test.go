package cloudwatchexporter

import "os"

// No test asks the metadata service of the machine that it runs on.
func init() { os.Setenv("AWS_EC2_METADATA_DISABLED", "true") }
