import { randomInt } from 'node:crypto';
import { tillerError } from '../work/tiller-error.ts';

/** The words of generated release names. All are lower-case letters, and no pair is longer than a name may be. */
const adjectiveText = `
  amber ample azure balmy bold brave breezy bright brisk calm candid careful cheery civil clear clever cosmic cozy crisp
  curious daring deft eager early earnest easy elated fair fancy fearless festive fluent fond frank free fresh gentle
  giddy glad gleeful golden grand happy hardy hasty hearty honest humble ideal jaunty jolly keen kind lively
  loyal lucid lucky mellow merry mild modest neat nimble noble odd open patient peaceful plucky polite proud prudent
  quick quiet rapid ready robust rosy rustic sage serene sharp shy silent silver smooth snowy solid spry stable steady
  sturdy sunny swift tame tidy tranquil trusty upbeat vivid warm wily wise witty zesty`;

const animalText = `
  alpaca ant antelope badger bat bear beaver bee beetle bison boar buffalo camel cat cheetah chipmunk cicada clam cobra
  condor coral cow coyote crab crane cricket crow deer dingo dolphin donkey dove dragonfly duck eagle eel elk emu falcon
  ferret finch firefly fox frog gazelle gecko gibbon giraffe goat goose gopher gorilla grouse gull hare hawk hedgehog
  heron horse hummingbird ibex ibis iguana impala jackal jaguar jay kangaroo kingfisher kiwi koala lark lemming lemur
  leopard lion lizard llama lobster lynx macaw magpie manatee mantis marmot marten meerkat mole moose moth mouse narwhal
  newt ocelot octopus okapi orca ostrich otter owl ox oyster panda panther parrot partridge peacock pelican penguin
  pheasant pigeon pony porcupine possum puffin puma quail rabbit raccoon ram raven robin rook salamander salmon seal
  shrew skunk sloth snail sparrow squid squirrel stork swallow swan tapir tern tiger toad toucan trout turtle urchin
  viper vole vulture wallaby walrus weasel whale wolf wombat woodpecker wren yak zebra`;

export const adjectives: readonly string[] = adjectiveText.trim().split(/\s+/);
export const animals: readonly string[] = animalText.trim().split(/\s+/);

/** How often Tiller looks for a name that is free. */
const maxTries = 5;

/**
 * A name in Tiller's style, `adjective-animal`.
 * @throws GatewayError UNKNOWN when five in a row are taken, as Tiller does
 */
export function generateReleaseName(isTaken: (name: string) => boolean): string {
  for (let attempt = 0; attempt < maxTries; attempt++) {
    const name = `${adjectives[randomInt(adjectives.length)]}-${animals[randomInt(animals.length)]}`;
    if (!isTaken(name)) return name;
  }
  throw tillerError('no available release name found');
}
