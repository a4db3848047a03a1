import { type CaseTable, recorded, sprig } from './case-table.ts';

export const cryptoTables: readonly CaseTable[] = [
  {
    source: sprig('crypto'),
    cases: [
      ['{{ derivePassword 1 "long" "password" "user" "example.com" }}', 'ZedaFaxcZaso9*'],
      ['{{ derivePassword 1 "pin" "password" "user" "example.com" | len }}', '4'],
      ['{{ regexMatch "^[A-Z][aeiou][a-z][0-9]$" (derivePassword 2 "short" "p" "u" "s") }}', 'true'],
      ['{{ derivePassword 1 "huge" "p" "u" "s" }}', 'cannot find password template huge'],
      ['{{ encryptAES "secretkey" "plaintext" | decryptAES "secretkey" }}', 'plaintext'],
      ['{{ encryptAES "k" "" }}|{{ decryptAES "k" "" }}|', '||'],
      ['{{ "30tEfhuJSVRhpG97XCuWgz2okj7L8vQ1s6V9zVUPeDQ=" | decryptAES "secretkey" }}', 'plaintext'],
      [
        '{{ decryptAES "k" "***" }}',
        { error: 'error calling decryptAES: illegal base64 data at input byte 0' },
      ],
      ['{{ decryptAES "k" "YWJj" }}', { error: 'crypto/cipher: IV length must equal block size' }],
    ],
  },
  {
    source: sprig('crypto#genprivatekey'),
    cases: [
      ['{{ genPrivateKey "ecdsa" | trunc 30 }}', '-----BEGIN EC PRIVATE KEY-----'],
      ['{{ genPrivateKey "nonsense" }}', 'Unknown type nonsense'],
    ],
  },
  {
    source: sprig('crypto#genca'),
    cases: [
      [
        '{{ $ca := genCA "foo-ca" 365 }}{{ $ca.Cert | trunc 28 }}{{ $ca.Key | trunc 31 }}{{ typeOf $ca }}',
        '-----BEGIN CERTIFICATE-----\n-----BEGIN RSA PRIVATE KEY-----sprig.certificate',
      ],
      [
        '{{ $ca := genCA "ca" 365 }}{{ $c := buildCustomCert ($ca.Cert | b64enc) ($ca.Key | b64enc) }}{{ eq $c.Cert $ca.Cert }} {{ eq $c.Key $ca.Key }}',
        'true true',
      ],
      [
        '{{ $ca := genCA "ca" 365 }}{{ (genSignedCert "foo.com" (list "10.0.0.1" "::1") (list "bar.com") 30 $ca).Cert | trunc 27 }}',
        '-----BEGIN CERTIFICATE-----',
      ],
      [
        '{{ genSelfSignedCert "x" (list "nope") nil 1 }}',
        { error: 'error calling genSelfSignedCert: error parsing ip: nope' },
      ],
      ['{{ genSelfSignedCert "x" (list 1) nil 1 }}', { error: 'error parsing ip: 1 is not a string' }],
      [
        '{{ genSelfSignedCert "x" nil (list 1) 1 }}',
        { error: 'error processing alternate dns name: 1 is not a string' },
      ],
      ['{{ buildCustomCert "***" "x" }}', { error: 'unable to decode base64 certificate' }],
      ['{{ buildCustomCert "eA==" "***" }}', { error: 'unable to decode base64 private key' }],
      ['{{ buildCustomCert "eA==" "eA==" }}', { error: 'unable to decode certificate' }],
    ],
  },
  {
    source: recorded,
    cases: [
      [
        '{{ genCA "ca" 365 | kindOf }} {{ (genSelfSignedCert "x" nil nil 1).Cert | trunc 27 }}',
        'struct -----BEGIN CERTIFICATE-----',
      ],
    ],
  },
];
