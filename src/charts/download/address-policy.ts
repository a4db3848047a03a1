import { isIP } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import ipaddr from 'ipaddr.js';
import { invalidArgument } from '../../protocol/index.ts';
import type { ChartOptions } from '../chart/chart-options.ts';

export type AddressPolicyOptions = Pick<ChartOptions, 'allow' | 'deny' | 'allowLoopback'>;

export interface AddressPolicy {
  /**
   * Checks a host by its name and by every address that it resolved to; none where a proxy resolves it.
   * @throws GatewayError INVALID_ARGUMENT with the host and what is wrong with it
   */
  check(host: string, addresses: readonly string[]): void;
}

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Range = [Address, number];

interface Rules {
  readonly ranges: readonly Range[];
  /** `*.example.com` is every name below example.com; anything else is that name alone. */
  readonly hosts: readonly string[];
}

/** This machine, also where a proxy resolves the name. */
const loopback = `
  127.0.0.0/8 ::1/128
  localhost *.localhost localhost.localdomain localhost4 localhost4.localdomain4 localhost6 localhost6.localdomain6
  ip6-localhost ip6-loopback
`;

/**
 * Never a repository, but often a path to what the gateway can reach and the caller cannot: this host, link-local and
 * site-local addresses (where clouds keep instance metadata), multicast, and the metadata services with addresses (of Alibaba,
 * Azure, Oracle, AWS, Google and Scaleway) or names of their own.
 */
const refused = `
  0.0.0.0/8 169.254.0.0/16 224.0.0.0/4 240.0.0.0/4
  ::/128 fe80::/10 fec0::/10 ff00::/8
  100.100.100.200/32 168.63.129.16/32 192.0.0.192/32 fd00:ec2::/32 fd20:ce::254/128
  fd00:c1::/32 fd00:42::42/128
  metadata metadata.google.internal *.metadata.google.internal metadata.goog *.metadata.goog
  instance-data instance-data.ec2.internal metadata.azure.internal metadata.azure.com
  metadata.oraclecloud.com metadata.tencentyun.com metadata.platformequinix.com metadata.packet.net
  api.metadata.cloud.ibm.com rancher-metadata rancher-metadata.rancher.internal
`;

/**
 * IPv6 ranges whose addresses carry an IPv4 one, and its first byte: NAT64 (RFC 6052, 8215), IPv4-translated (RFC 2765),
 * 6to4, and the IPv4-compatible ones, long out of use.
 */
const carriers: readonly (readonly [range: Range, firstByte: number])[] = [
  [ipaddr.parseCIDR('64:ff9b::/96'), 12],
  [ipaddr.parseCIDR('64:ff9b:1::/48'), 12],
  [ipaddr.parseCIDR('::ffff:0:0:0/96'), 12],
  [ipaddr.parseCIDR('2002::/16'), 2],
  [ipaddr.parseCIDR('::/96'), 12],
];

/** ISATAP (RFC 5214): the second half of an address of any network says so before an IPv4 one. */
const isIsatap = (bytes: readonly number[]) =>
  bytes.length === 16 &&
  [0, 2].includes(bytes[8]!) &&
  bytes[9] === 0 &&
  bytes[10] === 0x5e &&
  bytes[11] === 0xfe;

/** `::`, `::1` and their neighbours carry no IPv4 address. */
const unspecified = ipaddr.parseCIDR('::/120');

/**
 * @param ownAddresses the addresses of this machine, which count as loopback
 * @throws GatewayError INVALID_ARGUMENT when a rule is neither a host pattern nor a range
 */
export function createAddressPolicy(
  options: AddressPolicyOptions,
  ownAddresses: () => readonly string[] = addressesOfThisMachine,
): AddressPolicy {
  const loopbackRules = parseRules(listOf(loopback));
  // a proxy may resolve the machine's own name
  const thisMachine = { ranges: [], hosts: [...loopbackRules.hosts, hostname().toLowerCase()] };
  const refusedRules = parseRules(listOf(refused));
  const allow = parseRules(options.allow);
  const deny = parseRules(options.deny);
  return {
    check(host, addresses) {
      const forms = (isIP(host) ? [host] : addresses).flatMap(formsOf);
      if (matchesHost(deny, host) || forms.some(address => contains(deny, address))) {
        throw invalidArgument(`charts from ${host} are denied by the gateway's configuration`);
      }
      if (matchesHost(allow, host)) return;
      const own = parseRules(ownAddresses());
      const isLoopback = (address: Address) => contains(loopbackRules, address) || contains(own, address);
      const judged = forms.filter(address => !contains(allow, address));
      const isThisMachine = matchesHost(thisMachine, host) || judged.some(isLoopback);
      if (isThisMachine && !options.allowLoopback)
        throw refusal(host, 'a loopback address or one of this machine');
      if (matchesHost(refusedRules, host)) throw refusal(host, 'the name of a metadata service');
      if (judged.some(address => contains(refusedRules, address)))
        throw refusal(host, 'a link-local, metadata or reserved address');
    },
  };
}

function addressesOfThisMachine(): string[] {
  return Object.values(networkInterfaces()).flatMap(list => (list ?? []).map(({ address }) => address));
}

/** The address itself stays out of the message: it could tell a caller about the network behind the gateway. */
function refusal(host: string, what: string): Error {
  return invalidArgument(`charts from ${host} are refused: it has ${what}`);
}

/** An address, and the IPv4 one in it; an IPv4-mapped address is that IPv4 address. */
function formsOf(text: string): Address[] {
  const address = ipaddr.process(text.split('%', 1)[0] ?? '');
  if (isIn(address, unspecified)) return [address];
  const bytes = address.toByteArray();
  const carried = carriers
    .filter(([range]) => isIn(address, range))
    .map(([, first]) => first)
    .concat(isIsatap(bytes) ? [12] : [])
    .map(first => ipaddr.fromByteArray(bytes.slice(first, first + 4)));
  return [address, ...carried];
}

function isIn(address: Address, [network, bits]: Range): boolean {
  return address.kind() === network.kind() && address.match(network, bits);
}

function contains(rules: Rules, address: Address): boolean {
  return rules.ranges.some(range => isIn(address, range));
}

function matchesHost(rules: Rules, host: string): boolean {
  const name = host.toLowerCase().replace(/\.$/, '');
  return rules.hosts.some(pattern =>
    pattern.startsWith('*.') ? name.endsWith(pattern.slice(1)) : pattern === '*' || name === pattern,
  );
}

function listOf(text: string): string[] {
  return text.trim().split(/\s+/);
}

function parseRules(rules: readonly string[]): Rules {
  const parsed = rules.map(rule => parseRange(rule) ?? parseHostPattern(rule));
  return {
    ranges: parsed.filter(rule => typeof rule !== 'string'),
    hosts: parsed.filter(rule => typeof rule === 'string'),
  };
}

function parseRange(rule: string): Range | undefined {
  const [address = '', bits] = rule.replace(/^\[|\]$/g, '').split('/');
  if (!isIP(address)) return undefined;
  const network = ipaddr.process(address.split('%', 1)[0] ?? '');
  const most = network.toByteArray().length * 8;
  const length = bits === undefined ? most : Number(bits);
  if (!/^\d{0,3}$/.test(bits ?? '') || bits === '' || length > most) {
    throw invalidArgument(`not an address range: ${rule}`);
  }
  return [network, length];
}

function parseHostPattern(rule: string): string {
  const pattern = rule.toLowerCase().replace(/\.$/, '');
  if (!/^(\*|(\*\.)?[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?)$/.test(pattern)) {
    throw invalidArgument(`not a host pattern or an address range: ${rule}`);
  }
  return pattern;
}
