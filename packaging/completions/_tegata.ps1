
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'tegata' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'tegata'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'tegata' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('setup', 'setup', [CompletionResultType]::ParameterValue, 'Sign in, and write a profile for every role you choose')
            [CompletionResult]::new('login', 'login', [CompletionResultType]::ParameterValue, 'Sign in to an organisation or the console, by MFA code or PIN, or in a CI job')
            [CompletionResult]::new('logout', 'logout', [CompletionResultType]::ParameterValue, 'Sign out: revoke the sign-in at AWS and forget its tokens and credentials')
            [CompletionResult]::new('credential-process', 'credential-process', [CompletionResultType]::ParameterValue, 'Print the credentials of a profile for an AWS tool, as JSON')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Show the sign-in sessions, the store and the daemon, the grants and what waits for a hand')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List the profiles of the AWS config file')
            [CompletionResult]::new('console', 'console', [CompletionResultType]::ParameterValue, 'Open AWS''s web console in your browser, signed in as a profile')
            [CompletionResult]::new('certificate', 'certificate', [CompletionResultType]::ParameterValue, 'Certificates for IAM Roles Anywhere: list them, keep one in the keyring, forget it')
            [CompletionResult]::new('elevate', 'elevate', [CompletionResultType]::ParameterValue, 'Let a gated profile be used for a while, by a passkey gesture')
            [CompletionResult]::new('adopt-session', 'adopt-session', [CompletionResultType]::ParameterValue, 'Take over a sign-in that AWS CLI made, without signing in again')
            [CompletionResult]::new('approve', 'approve', [CompletionResultType]::ParameterValue, 'Approve or refuse what waits for a passkey gesture')
            [CompletionResult]::new('drop', 'drop', [CompletionResultType]::ParameterValue, 'End the grants of a profile, or all of them')
            [CompletionResult]::new('exec', 'exec', [CompletionResultType]::ParameterValue, 'Run a command with the credentials of a profile')
            [CompletionResult]::new('shell', 'shell', [CompletionResultType]::ParameterValue, 'Open a shell with the credentials of a profile')
            [CompletionResult]::new('env', 'env', [CompletionResultType]::ParameterValue, 'Print the credentials of a profile as variables')
            [CompletionResult]::new('passkey', 'passkey', [CompletionResultType]::ParameterValue, 'Enrol passkeys, which approve the use of gated profiles, and manage them')
            [CompletionResult]::new('policy', 'policy', [CompletionResultType]::ParameterValue, 'See which rules decide about a profile, check the settings, accept weaker ones')
            [CompletionResult]::new('review', 'review', [CompletionResultType]::ParameterValue, 'List and close reviews of what was used in an emergency')
            [CompletionResult]::new('lock', 'lock', [CompletionResultType]::ParameterValue, 'Forget all credentials now and hand out nothing until `tegata unlock`')
            [CompletionResult]::new('unlock', 'unlock', [CompletionResultType]::ParameterValue, 'Hand out credentials again after `tegata lock`')
            [CompletionResult]::new('daemon', 'daemon', [CompletionResultType]::ParameterValue, 'Start or stop the daemon, or see whether it runs')
            [CompletionResult]::new('doctor', 'doctor', [CompletionResultType]::ParameterValue, 'Look for what is wrong or unsafe, and name the command that mends it')
            [CompletionResult]::new('keys', 'keys', [CompletionResultType]::ParameterValue, 'Find long-lived keys and put an end to them')
            [CompletionResult]::new('totp', 'totp', [CompletionResultType]::ParameterValue, 'Keep the seed of an MFA device in the keyring, so that nobody has to type codes')
            [CompletionResult]::new('pick', 'pick', [CompletionResultType]::ParameterValue, 'Choose a profile from a list, by typing some of its name, account or role')
            [CompletionResult]::new('shell-init', 'shell-init', [CompletionResultType]::ParameterValue, 'Print what your shell''s start file runs: tg, directory defaults, completion, the prompt')
            [CompletionResult]::new('trust', 'trust', [CompletionResultType]::ParameterValue, 'Trust the .tegata of a directory to name the profile of shells in it')
            [CompletionResult]::new('prompt', 'prompt', [CompletionResultType]::ParameterValue, 'Print the profile of this shell, its gate and the time left, for a prompt')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'tegata;setup' {
            [CompletionResult]::new('--start-url', '--start-url', [CompletionResultType]::ParameterName, 'The organisation''s start URL [default: that of --session, or of the only one there is]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'The region of its IAM Identity Center')
            [CompletionResult]::new('--session', '--session', [CompletionResultType]::ParameterName, 'The sign-in session''s name, [sso-session NAME] [default: after the start URL]')
            [CompletionResult]::new('--accounts', '--accounts', [CompletionResultType]::ParameterName, 'The accounts whose name or id fits one of these patterns, with * and ?')
            [CompletionResult]::new('--roles', '--roles', [CompletionResultType]::ParameterName, 'The roles whose name fits one of these patterns')
            [CompletionResult]::new('--name-template', '--name-template', [CompletionResultType]::ParameterName, 'How new profiles are named [default: {account|kebab}-{role|kebab}]')
            [CompletionResult]::new('--profile-region', '--profile-region', [CompletionResultType]::ParameterName, 'The region of new profiles [default: that of the sign-in session]')
            [CompletionResult]::new('--browser', '--browser', [CompletionResultType]::ParameterName, 'Open the page with this command; %s stands for the address, which comes last without it')
            [CompletionResult]::new('--adopt', '--adopt', [CompletionResultType]::ParameterName, 'Serve these existing profiles, in place and under their names, with the profiles they stand on')
            [CompletionResult]::new('--from', '--from', [CompletionResultType]::ParameterName, 'Serve the profiles of another tool, in place and under their names')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'Every role of every account')
            [CompletionResult]::new('--prune', '--prune', [CompletionResultType]::ParameterName, 'Remove the profiles of roles that AWS no longer lists for you')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show the difference and write nothing')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Write without asking')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Write without asking')
            [CompletionResult]::new('--no-sign-in', '--no-sign-in', [CompletionResultType]::ParameterName, 'Fail where somebody would have to sign in first')
            [CompletionResult]::new('--device-code', '--device-code', [CompletionResultType]::ParameterName, 'Show a code to be entered on a page in any browser')
            [CompletionResult]::new('--print', '--print', [CompletionResultType]::ParameterName, 'Open no page; print its address alone to standard output')
            [CompletionResult]::new('--qr', '--qr', [CompletionResultType]::ParameterName, 'Open no page; print its address as a QR code')
            [CompletionResult]::new('--undo', '--undo', [CompletionResultType]::ParameterName, 'Put the AWS config file back as it was before setup wrote it last')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Undo although the file was edited since')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'tegata;login' {
            [CompletionResult]::new('--browser', '--browser', [CompletionResultType]::ParameterName, 'Open the page with this command; %s stands for the address, which comes last without it')
            [CompletionResult]::new('--console', '--console', [CompletionResultType]::ParameterName, 'Sign in to the AWS console for this profile, which is written if it is not there')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'The region to sign in to [default: the profile''s]')
            [CompletionResult]::new('--device-code', '--device-code', [CompletionResultType]::ParameterName, 'Show a code to be entered on a page in any browser')
            [CompletionResult]::new('--print', '--print', [CompletionResultType]::ParameterName, 'Open no page; print its address alone to standard output')
            [CompletionResult]::new('--qr', '--qr', [CompletionResultType]::ParameterName, 'Open no page; print its address as a QR code')
            [CompletionResult]::new('--remote', '--remote', [CompletionResultType]::ParameterName, 'Sign in with a browser on another machine, and paste what its page shows')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Write the profile without asking')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'tegata;logout' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'tegata;credential-process' {
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'The profile [default: the value of AWS_PROFILE]')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Wait so many seconds for a person to sign in [default: 15, and only while somebody is signing in]')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Print to a terminal too, where everybody behind you and the scrollback can read them')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'tegata;status' {
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print what the daemon says, as JSON')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'tegata;list' {
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print what the daemon says, as JSON')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'tegata;console' {
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'Show a service, such as s3, ec2 or logs')
            [CompletionResult]::new('--service', '--service', [CompletionResultType]::ParameterName, 'Show a service, such as s3, ec2 or logs')
            [CompletionResult]::new('-r', '-r', [CompletionResultType]::ParameterName, 'Show this region [default: the profile''s]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Show this region [default: the profile''s]')
            [CompletionResult]::new('--path', '--path', [CompletionResultType]::ParameterName, 'Show this page: a path such as /s3/home, or an address copied from the console')
            [CompletionResult]::new('--for', '--for', [CompletionResultType]::ParameterName, 'How long the console session is to last, as 30m or 1h, 15m to 12h [default: as long as the credentials]')
            [CompletionResult]::new('--browser', '--browser', [CompletionResultType]::ParameterName, 'Open the page with this command; %s stands for the address, which comes last without it')
            [CompletionResult]::new('--browser-profile', '--browser-profile', [CompletionResultType]::ParameterName, 'Open it in this profile of the browser')
            [CompletionResult]::new('--container', '--container', [CompletionResultType]::ParameterName, 'Open it in a Firefox container, by default one named after the profile; needs an extension')
            [CompletionResult]::new('--container-extension', '--container-extension', [CompletionResultType]::ParameterName, 'The extension that opens containers')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Wait so many seconds for a hand or a sign-in [default: 15]')
            [CompletionResult]::new('--logout-first', '--logout-first', [CompletionResultType]::ParameterName, 'Sign out of the console first')
            [CompletionResult]::new('--read-only', '--read-only', [CompletionResultType]::ParameterName, 'Sign in as the profile''s read-only sibling')
            [CompletionResult]::new('--print', '--print', [CompletionResultType]::ParameterName, 'Open no page; print the link alone to standard output. Whoever has it signs in')
            [CompletionResult]::new('--copy', '--copy', [CompletionResultType]::ParameterName, 'Open no page; copy the link to the clipboard')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'tegata;certificate' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List the certificates of profiles that start from one, and when they end')
            [CompletionResult]::new('import', 'import', [CompletionResultType]::ParameterValue, 'Keep a certificate and its key in the keyring, so that no key lies in a file')
            [CompletionResult]::new('remove', 'remove', [CompletionResultType]::ParameterValue, 'Forget the certificate that is kept for a profile. Its files, if there are any, stay')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'tegata;certificate;list' {
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print what the daemon says, as JSON')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'tegata;certificate;import' {
            [CompletionResult]::new('--certificate', '--certificate', [CompletionResultType]::ParameterName, 'The certificate (PEM); intermediates may follow it')
            [CompletionResult]::new('--intermediates', '--intermediates', [CompletionResultType]::ParameterName, 'The certificates between it and the trust anchor, where they are in a file of their own')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'The private key (PEM): PKCS #8, PKCS #1 or SEC 1, encrypted or not')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'tegata;certificate;remove' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'tegata;certificate;help' {
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List the certificates of profiles that start from one, and when they end')
            [CompletionResult]::new('import', 'import', [CompletionResultType]::ParameterValue, 'Keep a certificate and its key in the keyring, so that no key lies in a file')
            [CompletionResult]::new('remove', 'remove', [CompletionResultType]::ParameterValue, 'Forget the certificate that is kept for a profile. Its files, if there are any, stay')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'tegata;certificate;help;list' {
            break
        }
        'tegata;certificate;help;import' {
            break
        }
        'tegata;certificate;help;remove' {
            break
        }
        'tegata;certificate;help;help' {
            break
        }
        'tegata;elevate' {
            [CompletionResult]::new('--for', '--for', [CompletionResultType]::ParameterName, 'How long, as 90s, 30m or 1h; the rules may shorten it [default: as long as the rules allow]')
            [CompletionResult]::new('--reason', '--reason', [CompletionResultType]::ParameterName, 'Why; it goes into the records, and to CloudTrail where AWS has a place for it')
            [CompletionResult]::new('--browser', '--browser', [CompletionResultType]::ParameterName, 'Open the page with this command; %s stands for the address, which comes last without it')
            [CompletionResult]::new('--everywhere', '--everywhere', [CompletionResultType]::ParameterName, 'Let every program of yours use it, where the rules allow that')
            [CompletionResult]::new('--print', '--print', [CompletionResultType]::ParameterName, 'Open no page; print its address alone to standard output. It is good once')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'tegata;adopt-session' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'tegata;approve' {
            [CompletionResult]::new('--reason', '--reason', [CompletionResultType]::ParameterName, 'Why, where the request has no reason yet')
            [CompletionResult]::new('--browser', '--browser', [CompletionResultType]::ParameterName, 'Open the page with this command; %s stands for the address, which comes last without it')
            [CompletionResult]::new('--refuse', '--refuse', [CompletionResultType]::ParameterName, 'Say no; whoever asks is refused for a while')
            [CompletionResult]::new('--print', '--print', [CompletionResultType]::ParameterName, 'Open no page; print its address alone to standard output. It is good once')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'tegata;drop' {
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'End every grant')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'tegata;exec' {
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'The region [default: AWS_REGION or AWS_DEFAULT_REGION, else the profile''s]')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Wait so many seconds for a person to approve or sign in [default: 15]')
            [CompletionResult]::new('--read-only', '--read-only', [CompletionResultType]::ParameterName, 'Take the profile that reads the same account and changes nothing')
            [CompletionResult]::new('--env', '--env', [CompletionResultType]::ParameterName, 'Hand over variables that expire, in place of an endpoint')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'tegata;shell' {
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'The region [default: AWS_REGION or AWS_DEFAULT_REGION, else the profile''s]')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Wait so many seconds for a person to approve or sign in [default: 15]')
            [CompletionResult]::new('--read-only', '--read-only', [CompletionResultType]::ParameterName, 'Take the profile that reads the same account and changes nothing')
            [CompletionResult]::new('--env', '--env', [CompletionResultType]::ParameterName, 'Hand over variables that expire, in place of an endpoint')
            [CompletionResult]::new('--nested', '--nested', [CompletionResultType]::ParameterName, 'Open it within another one')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'tegata;env' {
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'The region [default: AWS_REGION or AWS_DEFAULT_REGION, else the profile''s]')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Wait so many seconds for a person to approve or sign in [default: 15]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How they are written')
            [CompletionResult]::new('--read-only', '--read-only', [CompletionResultType]::ParameterName, 'Take the profile that reads the same account and changes nothing')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Print to a terminal too, where everybody behind you and the scrollback can read them')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'tegata;passkey' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('add', 'add', [CompletionResultType]::ParameterValue, 'Enrol a passkey')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List the passkeys')
            [CompletionResult]::new('rename', 'rename', [CompletionResultType]::ParameterValue, 'Give a passkey another name')
            [CompletionResult]::new('remove', 'remove', [CompletionResultType]::ParameterValue, 'Remove a passkey, by the gesture of one that is enrolled')
            [CompletionResult]::new('test', 'test', [CompletionResultType]::ParameterValue, 'Try a passkey. Nothing follows from it')
            [CompletionResult]::new('reset', 'reset', [CompletionResultType]::ParameterValue, 'Forget all passkeys, for when every one of them is lost. Needs a fresh sign-in')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'tegata;passkey;add' {
            [CompletionResult]::new('--person', '--person', [CompletionResultType]::ParameterName, 'Whose it is [default: your user name]')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'What it is to be called [default: asks]')
            [CompletionResult]::new('--browser', '--browser', [CompletionResultType]::ParameterName, 'Open the page with this command; %s stands for the address, which comes last without it')
            [CompletionResult]::new('--print', '--print', [CompletionResultType]::ParameterName, 'Open no page; print its address alone to standard output. It is good once')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'tegata;passkey;list' {
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print what the daemon says, as JSON')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'tegata;passkey;rename' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'tegata;passkey;remove' {
            [CompletionResult]::new('--browser', '--browser', [CompletionResultType]::ParameterName, 'Open the page with this command; %s stands for the address, which comes last without it')
            [CompletionResult]::new('--print', '--print', [CompletionResultType]::ParameterName, 'Open no page; print its address alone to standard output. It is good once')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'tegata;passkey;test' {
            [CompletionResult]::new('--browser', '--browser', [CompletionResultType]::ParameterName, 'Open the page with this command; %s stands for the address, which comes last without it')
            [CompletionResult]::new('--print', '--print', [CompletionResultType]::ParameterName, 'Open no page; print its address alone to standard output. It is good once')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'tegata;passkey;reset' {
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask whether it is meant')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'tegata;passkey;help' {
            [CompletionResult]::new('add', 'add', [CompletionResultType]::ParameterValue, 'Enrol a passkey')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List the passkeys')
            [CompletionResult]::new('rename', 'rename', [CompletionResultType]::ParameterValue, 'Give a passkey another name')
            [CompletionResult]::new('remove', 'remove', [CompletionResultType]::ParameterValue, 'Remove a passkey, by the gesture of one that is enrolled')
            [CompletionResult]::new('test', 'test', [CompletionResultType]::ParameterValue, 'Try a passkey. Nothing follows from it')
            [CompletionResult]::new('reset', 'reset', [CompletionResultType]::ParameterValue, 'Forget all passkeys, for when every one of them is lost. Needs a fresh sign-in')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'tegata;passkey;help;add' {
            break
        }
        'tegata;passkey;help;list' {
            break
        }
        'tegata;passkey;help;rename' {
            break
        }
        'tegata;passkey;help;remove' {
            break
        }
        'tegata;passkey;help;test' {
            break
        }
        'tegata;passkey;help;reset' {
            break
        }
        'tegata;passkey;help;help' {
            break
        }
        'tegata;policy' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('explain', 'explain', [CompletionResultType]::ParameterValue, 'Explain which rules decide about a profile, and what they demand')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Check the settings as they are written, and show what of them is in force')
            [CompletionResult]::new('accept', 'accept', [CompletionResultType]::ParameterValue, 'Accept settings that are weaker than those in force, by a passkey gesture')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'tegata;policy;explain' {
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print what the daemon says, as JSON')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'tegata;policy;check' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'tegata;policy;accept' {
            [CompletionResult]::new('--browser', '--browser', [CompletionResultType]::ParameterName, 'Open the page with this command; %s stands for the address, which comes last without it')
            [CompletionResult]::new('--print', '--print', [CompletionResultType]::ParameterName, 'Open no page; print its address alone to standard output. It is good once')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'tegata;policy;help' {
            [CompletionResult]::new('explain', 'explain', [CompletionResultType]::ParameterValue, 'Explain which rules decide about a profile, and what they demand')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Check the settings as they are written, and show what of them is in force')
            [CompletionResult]::new('accept', 'accept', [CompletionResultType]::ParameterValue, 'Accept settings that are weaker than those in force, by a passkey gesture')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'tegata;policy;help;explain' {
            break
        }
        'tegata;policy;help;check' {
            break
        }
        'tegata;policy;help;accept' {
            break
        }
        'tegata;policy;help;help' {
            break
        }
        'tegata;review' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List the reviews that are open')
            [CompletionResult]::new('close', 'close', [CompletionResultType]::ParameterValue, 'Close a review with what was found')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'tegata;review;list' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'tegata;review;close' {
            [CompletionResult]::new('--note', '--note', [CompletionResultType]::ParameterName, 'What the review found; it goes into the records')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'tegata;review;help' {
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List the reviews that are open')
            [CompletionResult]::new('close', 'close', [CompletionResultType]::ParameterValue, 'Close a review with what was found')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'tegata;review;help;list' {
            break
        }
        'tegata;review;help;close' {
            break
        }
        'tegata;review;help;help' {
            break
        }
        'tegata;lock' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'tegata;unlock' {
            [CompletionResult]::new('--browser', '--browser', [CompletionResultType]::ParameterName, 'Open the page with this command; %s stands for the address, which comes last without it')
            [CompletionResult]::new('--print', '--print', [CompletionResultType]::ParameterName, 'Open no page; print its address alone to standard output. It is good once')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'tegata;daemon' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('start', 'start', [CompletionResultType]::ParameterValue, 'Start the daemon if it does not run')
            [CompletionResult]::new('stop', 'stop', [CompletionResultType]::ParameterValue, 'End the daemon once what is under way is done')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Say whether the daemon runs; exit code 16 when it does not')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'tegata;daemon;start' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'tegata;daemon;stop' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'tegata;daemon;status' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'tegata;daemon;help' {
            [CompletionResult]::new('start', 'start', [CompletionResultType]::ParameterValue, 'Start the daemon if it does not run')
            [CompletionResult]::new('stop', 'stop', [CompletionResultType]::ParameterValue, 'End the daemon once what is under way is done')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Say whether the daemon runs; exit code 16 when it does not')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'tegata;daemon;help;start' {
            break
        }
        'tegata;daemon;help;stop' {
            break
        }
        'tegata;daemon;help;status' {
            break
        }
        'tegata;daemon;help;help' {
            break
        }
        'tegata;doctor' {
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print what was measured and found, as JSON')
            [CompletionResult]::new('--fix', '--fix', [CompletionResultType]::ParameterName, 'Mend paths of tegata in AWS config that lead nowhere; a copy of the file is kept')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'tegata;keys' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('scan', 'scan', [CompletionResultType]::ParameterValue, 'Find AWS credentials that lie about in files and variables')
            [CompletionResult]::new('import', 'import', [CompletionResultType]::ParameterValue, 'Move the access key of a profile from the AWS files into the keyring')
            [CompletionResult]::new('rotate', 'rotate', [CompletionResultType]::ParameterValue, 'Turn the access key behind a profile over: a new one is made and proven, the old one deactivated and later deleted')
            [CompletionResult]::new('report', 'report', [CompletionResultType]::ParameterValue, 'Show the access keys of the IAM users that profiles start from: age and last use from IAM, the unused first, with commands')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'tegata;keys;scan' {
            [CompletionResult]::new('--exclude', '--exclude', [CompletionResultType]::ParameterName, 'Leave out files and directories whose name or path fits, with * and ?')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'Leave out nothing by itself: node_modules, target and the like as well')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print what was looked at and found, as JSON')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'tegata;keys;import' {
            [CompletionResult]::new('--trial', '--trial', [CompletionResultType]::ParameterName, 'Put the plaintext aside for so many days in place of removing it, for instance 7d')
            [CompletionResult]::new('--finish', '--finish', [CompletionResultType]::ParameterName, 'Remove what a trial has put aside')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Write without asking')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'tegata;keys;rotate' {
            [CompletionResult]::new('--grace', '--grace', [CompletionResultType]::ParameterName, 'How long the old key is kept, deactivated: 90 days at most [default: 24h]')
            [CompletionResult]::new('--finish', '--finish', [CompletionResultType]::ParameterName, 'Make no key; delete what was replaced, whatever is left of the grace time')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print what the daemon says, as JSON')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'tegata;keys;report' {
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print what the daemon says, as JSON')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'tegata;keys;help' {
            [CompletionResult]::new('scan', 'scan', [CompletionResultType]::ParameterValue, 'Find AWS credentials that lie about in files and variables')
            [CompletionResult]::new('import', 'import', [CompletionResultType]::ParameterValue, 'Move the access key of a profile from the AWS files into the keyring')
            [CompletionResult]::new('rotate', 'rotate', [CompletionResultType]::ParameterValue, 'Turn the access key behind a profile over: a new one is made and proven, the old one deactivated and later deleted')
            [CompletionResult]::new('report', 'report', [CompletionResultType]::ParameterValue, 'Show the access keys of the IAM users that profiles start from: age and last use from IAM, the unused first, with commands')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'tegata;keys;help;scan' {
            break
        }
        'tegata;keys;help;import' {
            break
        }
        'tegata;keys;help;rotate' {
            break
        }
        'tegata;keys;help;report' {
            break
        }
        'tegata;keys;help;help' {
            break
        }
        'tegata;totp' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('add', 'add', [CompletionResultType]::ParameterValue, 'Keep the seed of the MFA device that a profile names')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List the MFA devices that profiles name, and where their codes come from')
            [CompletionResult]::new('remove', 'remove', [CompletionResultType]::ParameterValue, 'Forget the seed of the MFA device that a profile names')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'tegata;totp;add' {
            [CompletionResult]::new('--qr', '--qr', [CompletionResultType]::ParameterName, 'Read the seed from this picture of a QR code (PNG)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'tegata;totp;list' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'tegata;totp;remove' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'tegata;totp;help' {
            [CompletionResult]::new('add', 'add', [CompletionResultType]::ParameterValue, 'Keep the seed of the MFA device that a profile names')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List the MFA devices that profiles name, and where their codes come from')
            [CompletionResult]::new('remove', 'remove', [CompletionResultType]::ParameterValue, 'Forget the seed of the MFA device that a profile names')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'tegata;totp;help;add' {
            break
        }
        'tegata;totp;help;list' {
            break
        }
        'tegata;totp;help;remove' {
            break
        }
        'tegata;totp;help;help' {
            break
        }
        'tegata;pick' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'tegata;shell-init' {
            [CompletionResult]::new('--prompt', '--prompt', [CompletionResultType]::ParameterName, 'Show the profile, its gate and the time left in front of the prompt')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'tegata;trust' {
            [CompletionResult]::new('--refuse', '--refuse', [CompletionResultType]::ParameterName, 'Never use it, and do not ask again')
            [CompletionResult]::new('--list', '--list', [CompletionResultType]::ParameterName, 'List what you have answered')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'tegata;prompt' {
            [CompletionResult]::new('--segment', '--segment', [CompletionResultType]::ParameterName, 'Print it in parentheses, and so that this shell''s prompt shows it as it is')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'tegata;help' {
            [CompletionResult]::new('setup', 'setup', [CompletionResultType]::ParameterValue, 'Sign in, and write a profile for every role you choose')
            [CompletionResult]::new('login', 'login', [CompletionResultType]::ParameterValue, 'Sign in to an organisation or the console, by MFA code or PIN, or in a CI job')
            [CompletionResult]::new('logout', 'logout', [CompletionResultType]::ParameterValue, 'Sign out: revoke the sign-in at AWS and forget its tokens and credentials')
            [CompletionResult]::new('credential-process', 'credential-process', [CompletionResultType]::ParameterValue, 'Print the credentials of a profile for an AWS tool, as JSON')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Show the sign-in sessions, the store and the daemon, the grants and what waits for a hand')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List the profiles of the AWS config file')
            [CompletionResult]::new('console', 'console', [CompletionResultType]::ParameterValue, 'Open AWS''s web console in your browser, signed in as a profile')
            [CompletionResult]::new('certificate', 'certificate', [CompletionResultType]::ParameterValue, 'Certificates for IAM Roles Anywhere: list them, keep one in the keyring, forget it')
            [CompletionResult]::new('elevate', 'elevate', [CompletionResultType]::ParameterValue, 'Let a gated profile be used for a while, by a passkey gesture')
            [CompletionResult]::new('adopt-session', 'adopt-session', [CompletionResultType]::ParameterValue, 'Take over a sign-in that AWS CLI made, without signing in again')
            [CompletionResult]::new('approve', 'approve', [CompletionResultType]::ParameterValue, 'Approve or refuse what waits for a passkey gesture')
            [CompletionResult]::new('drop', 'drop', [CompletionResultType]::ParameterValue, 'End the grants of a profile, or all of them')
            [CompletionResult]::new('exec', 'exec', [CompletionResultType]::ParameterValue, 'Run a command with the credentials of a profile')
            [CompletionResult]::new('shell', 'shell', [CompletionResultType]::ParameterValue, 'Open a shell with the credentials of a profile')
            [CompletionResult]::new('env', 'env', [CompletionResultType]::ParameterValue, 'Print the credentials of a profile as variables')
            [CompletionResult]::new('passkey', 'passkey', [CompletionResultType]::ParameterValue, 'Enrol passkeys, which approve the use of gated profiles, and manage them')
            [CompletionResult]::new('policy', 'policy', [CompletionResultType]::ParameterValue, 'See which rules decide about a profile, check the settings, accept weaker ones')
            [CompletionResult]::new('review', 'review', [CompletionResultType]::ParameterValue, 'List and close reviews of what was used in an emergency')
            [CompletionResult]::new('lock', 'lock', [CompletionResultType]::ParameterValue, 'Forget all credentials now and hand out nothing until `tegata unlock`')
            [CompletionResult]::new('unlock', 'unlock', [CompletionResultType]::ParameterValue, 'Hand out credentials again after `tegata lock`')
            [CompletionResult]::new('daemon', 'daemon', [CompletionResultType]::ParameterValue, 'Start or stop the daemon, or see whether it runs')
            [CompletionResult]::new('doctor', 'doctor', [CompletionResultType]::ParameterValue, 'Look for what is wrong or unsafe, and name the command that mends it')
            [CompletionResult]::new('keys', 'keys', [CompletionResultType]::ParameterValue, 'Find long-lived keys and put an end to them')
            [CompletionResult]::new('totp', 'totp', [CompletionResultType]::ParameterValue, 'Keep the seed of an MFA device in the keyring, so that nobody has to type codes')
            [CompletionResult]::new('pick', 'pick', [CompletionResultType]::ParameterValue, 'Choose a profile from a list, by typing some of its name, account or role')
            [CompletionResult]::new('shell-init', 'shell-init', [CompletionResultType]::ParameterValue, 'Print what your shell''s start file runs: tg, directory defaults, completion, the prompt')
            [CompletionResult]::new('trust', 'trust', [CompletionResultType]::ParameterValue, 'Trust the .tegata of a directory to name the profile of shells in it')
            [CompletionResult]::new('prompt', 'prompt', [CompletionResultType]::ParameterValue, 'Print the profile of this shell, its gate and the time left, for a prompt')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'tegata;help;setup' {
            break
        }
        'tegata;help;login' {
            break
        }
        'tegata;help;logout' {
            break
        }
        'tegata;help;credential-process' {
            break
        }
        'tegata;help;status' {
            break
        }
        'tegata;help;list' {
            break
        }
        'tegata;help;console' {
            break
        }
        'tegata;help;certificate' {
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List the certificates of profiles that start from one, and when they end')
            [CompletionResult]::new('import', 'import', [CompletionResultType]::ParameterValue, 'Keep a certificate and its key in the keyring, so that no key lies in a file')
            [CompletionResult]::new('remove', 'remove', [CompletionResultType]::ParameterValue, 'Forget the certificate that is kept for a profile. Its files, if there are any, stay')
            break
        }
        'tegata;help;certificate;list' {
            break
        }
        'tegata;help;certificate;import' {
            break
        }
        'tegata;help;certificate;remove' {
            break
        }
        'tegata;help;elevate' {
            break
        }
        'tegata;help;adopt-session' {
            break
        }
        'tegata;help;approve' {
            break
        }
        'tegata;help;drop' {
            break
        }
        'tegata;help;exec' {
            break
        }
        'tegata;help;shell' {
            break
        }
        'tegata;help;env' {
            break
        }
        'tegata;help;passkey' {
            [CompletionResult]::new('add', 'add', [CompletionResultType]::ParameterValue, 'Enrol a passkey')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List the passkeys')
            [CompletionResult]::new('rename', 'rename', [CompletionResultType]::ParameterValue, 'Give a passkey another name')
            [CompletionResult]::new('remove', 'remove', [CompletionResultType]::ParameterValue, 'Remove a passkey, by the gesture of one that is enrolled')
            [CompletionResult]::new('test', 'test', [CompletionResultType]::ParameterValue, 'Try a passkey. Nothing follows from it')
            [CompletionResult]::new('reset', 'reset', [CompletionResultType]::ParameterValue, 'Forget all passkeys, for when every one of them is lost. Needs a fresh sign-in')
            break
        }
        'tegata;help;passkey;add' {
            break
        }
        'tegata;help;passkey;list' {
            break
        }
        'tegata;help;passkey;rename' {
            break
        }
        'tegata;help;passkey;remove' {
            break
        }
        'tegata;help;passkey;test' {
            break
        }
        'tegata;help;passkey;reset' {
            break
        }
        'tegata;help;policy' {
            [CompletionResult]::new('explain', 'explain', [CompletionResultType]::ParameterValue, 'Explain which rules decide about a profile, and what they demand')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Check the settings as they are written, and show what of them is in force')
            [CompletionResult]::new('accept', 'accept', [CompletionResultType]::ParameterValue, 'Accept settings that are weaker than those in force, by a passkey gesture')
            break
        }
        'tegata;help;policy;explain' {
            break
        }
        'tegata;help;policy;check' {
            break
        }
        'tegata;help;policy;accept' {
            break
        }
        'tegata;help;review' {
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List the reviews that are open')
            [CompletionResult]::new('close', 'close', [CompletionResultType]::ParameterValue, 'Close a review with what was found')
            break
        }
        'tegata;help;review;list' {
            break
        }
        'tegata;help;review;close' {
            break
        }
        'tegata;help;lock' {
            break
        }
        'tegata;help;unlock' {
            break
        }
        'tegata;help;daemon' {
            [CompletionResult]::new('start', 'start', [CompletionResultType]::ParameterValue, 'Start the daemon if it does not run')
            [CompletionResult]::new('stop', 'stop', [CompletionResultType]::ParameterValue, 'End the daemon once what is under way is done')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Say whether the daemon runs; exit code 16 when it does not')
            break
        }
        'tegata;help;daemon;start' {
            break
        }
        'tegata;help;daemon;stop' {
            break
        }
        'tegata;help;daemon;status' {
            break
        }
        'tegata;help;doctor' {
            break
        }
        'tegata;help;keys' {
            [CompletionResult]::new('scan', 'scan', [CompletionResultType]::ParameterValue, 'Find AWS credentials that lie about in files and variables')
            [CompletionResult]::new('import', 'import', [CompletionResultType]::ParameterValue, 'Move the access key of a profile from the AWS files into the keyring')
            [CompletionResult]::new('rotate', 'rotate', [CompletionResultType]::ParameterValue, 'Turn the access key behind a profile over: a new one is made and proven, the old one deactivated and later deleted')
            [CompletionResult]::new('report', 'report', [CompletionResultType]::ParameterValue, 'Show the access keys of the IAM users that profiles start from: age and last use from IAM, the unused first, with commands')
            break
        }
        'tegata;help;keys;scan' {
            break
        }
        'tegata;help;keys;import' {
            break
        }
        'tegata;help;keys;rotate' {
            break
        }
        'tegata;help;keys;report' {
            break
        }
        'tegata;help;totp' {
            [CompletionResult]::new('add', 'add', [CompletionResultType]::ParameterValue, 'Keep the seed of the MFA device that a profile names')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List the MFA devices that profiles name, and where their codes come from')
            [CompletionResult]::new('remove', 'remove', [CompletionResultType]::ParameterValue, 'Forget the seed of the MFA device that a profile names')
            break
        }
        'tegata;help;totp;add' {
            break
        }
        'tegata;help;totp;list' {
            break
        }
        'tegata;help;totp;remove' {
            break
        }
        'tegata;help;pick' {
            break
        }
        'tegata;help;shell-init' {
            break
        }
        'tegata;help;trust' {
            break
        }
        'tegata;help;prompt' {
            break
        }
        'tegata;help;help' {
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
