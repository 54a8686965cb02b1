// The AWS SDK for Go v2 as a client, its default chain: one signed call for every line on stdin, one line on stdout for each.
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

func call(ctx context.Context, client *sts.Client) string {
	identity, err := client.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return "error " + strings.Join(strings.Fields(err.Error()), " ")
	}
	return "ok " + aws.ToString(identity.Arn)
}

func main() {
	ctx := context.Background()
	settings, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	client := sts.NewFromConfig(settings)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		fmt.Println(call(ctx, client))
	}
}
