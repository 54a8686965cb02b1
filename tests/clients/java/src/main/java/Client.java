import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.sts.StsClient;

/** The AWS SDK for Java v2 as a client, its default chain: one signed call for every line on stdin, one line on stdout for each. */
final class Client {
    private Client() {
    }

    public static void main(String[] arguments) throws Exception {
        URI endpoint = URI.create(System.getenv("AWS_ENDPOINT_URL_STS"));
        Region region = Region.of(System.getenv("AWS_REGION"));
        var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        try (StsClient sts = StsClient.builder().endpointOverride(endpoint).region(region).build()) {
            while (lines.readLine() != null) {
                System.out.println(call(sts));
            }
        }
    }

    private static String call(StsClient sts) {
        try {
            return "ok " + sts.getCallerIdentity().arn();
        } catch (RuntimeException error) {
            var text = new StringBuilder();
            for (Throwable cause = error; cause != null; cause = cause.getCause()) {
                text.append(' ').append(cause);
            }
            return "error" + text.toString().replaceAll("\\s+", " ");
        }
    }
}
