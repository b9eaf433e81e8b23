"""The words of join codes and of fingerprints: 1024 of them, ten bits each. Our own choice, and part of the wire.

They are short, common, and hard to take for each other: no two differ by one letter only. A word that is changed, added
or taken out changes what every fingerprint is called.
"""

from typing import Final

_LINES: Final = """
abacus academy acorn acrobat actor adobe agate airport album alder algae almanac almond alpaca alpine amber
anchor angle antelope antler anvil apple apricot apron archive arctic arena armor artist ashen aster astronaut
atlas atom attic august autumn avocado award axle azure backpack badger bagel bagpipe baker balcony ballad
ballet balloon bamboo banana banjo banner barley barn barrel basil basket bassoon bath bathtub bayou beach
beacon beagle beam beaver bedrock beetle bell berry birch birthday bishop bison blanket blaze blender bloom
blossom blouse blue bluebell boat bobcat bonnet bonus bookcase border botany bottle boulder bowl bracket branch
brass bread breeze brick bridge brigade broccoli bronze brook brother brown brush bubble bucket buckle buffalo
bugle bulb bungalow bunny bureau burger butter button cabin cable caboose cactus cake calendar camel camera camp
canal canary candle canoe canvas canyon captain caramel caravan carbon cargo carpet carrot cart cashew castle
catapult cavern cedar celery cellar cello cement centaur center ceramic cereal chain chalk chapel charm cheese
chef cherry chess chestnut chicken chimney chorus cicada cider cinema circle citrus city clam clarinet classic
clever cliff clinic cloak cloud coach coast cobalt cocoa coconut coffee comet compass concert condor confetti
copper coral cork corner corridor cosmos cottage cotton cougar country cousin coyote crab cradle crane crater
crayon cream credit creek crescent cricket crimson crocus cruise crystal cube cucumber cumin cupcake curtain
cushion cyclone cymbal cypress daffodil dahlia dairy damson dancer dawn debut decade deer delta denim depot
desert desk diamond diary diesel dinner dinosaur dipper discus dolphin domino donkey doodle door dory double
dove dragon drawer dress drift drill drizzle drum duck dune dust early earth easel echo eclipse eggplant elbow
elephant eleven emerald emperor empire engine envelope equator ermine essay estate evening evergreen fabric
falcon family fancy farmer fathom feather fence fennel fern festival fiddle field filter finch finger fire fjord
flag flame flamingo flannel flask flint flute foam folklore forest fortune fossil fountain fragrant freckle
fresh frigate fringe frog frost fruit fudge galaxy gallery gallon garage garden garlic garnet gazebo gazelle
gecko gelato gentle geyser giant giraffe glacier glade glass glider globe glow goblet gold gondola goose gopher
gorge gorilla gown grain granite grape gravel gravity green grizzly grotto grove guava guest guitar gulf guppy
habit halo hammer hammock hamster harbor harmony harp harvest hawk hazel hazelnut heart hedge hedgehog helium
helmet hemp herald herb heron herring hickory hill hippo hockey holiday hollow holly honest honey hood horizon
horse hotel hour humble hummus hunter hurricane husky hyacinth ibex iceberg icicle igloo iguana impala indigo
inlet insect iris iron island ivory jacket jade jaguar jasmine jasper javelin jazz jeans jelly jersey jet jewel
jigsaw joker journal juggler juice july jumbo jungle juniper jupiter kale kangaroo kayak kelp kernel kettle key
keyboard khaki kingdom kiosk kitchen kite kitten kiwi knapsack knee knob koala label ladder ladle lady lagoon
lamb lance lantern laptop larch lark laser lather laurel lava lavender leaf lemon lentil leopard lesson letter
lettuce level library lichen lilac lily lime linden lion liquid lizard llama lobster local locket lodge loft
logic lollipop lotus lounge lucky lumber lunar lunch lupin lynx lyric macaw magenta magic magnet magnolia magpie
mahogany maize mallard mammoth manatee mango manor mantle maple marble margin marina market maroon marsh marten
mask match meadow medal melody melon memory mentor menu mercury mermaid meteor metro midday midnight milk mimosa
mineral minnow mint mirror mocha model mole monarch month monument moon morning mosaic moss motor mouse muffin
mulberry mural muscle museum mushroom music muslin mustard myrtle mystic napkin narrow narwhal navy nectar
needle neon neptune nest nickel nimble noble nomad north notebook nougat novel nugget nut nutmeg nylon oak oasis
oboe ocean ochre octagon octave october octopus office olive omega onion onyx opal opera orange orbit orchard
orchid organ origami oriole osprey ostrich otter outfit oven oxygen oyster paddle page pagoda palace palm
pamphlet panda panel panther papaya paper paprika parade parcel parsley parsnip pasta pastel pastry pattern
pavilion peacock peanut pearl pebble pecan pelican pencil penguin penny pepper perch perfume petal petunia
pewter pheasant phoenix piano pickle picnic pier pigeon pilgrim pillow pilot pine pioneer pirate pistachio
pitcher pixel pizza planet plank plaster platinum plaza plenty plough poem polka pollen polo pond poplar poppy
portrait potato pottery powder prairie pretzel primrose prince prism prize pulley pulp puma pumpkin puppet
purple puzzle pyramid quail quarry quartet quartz quasar queen quick quiet quill quince quiver quiz quota rabbit
raccoon radar radio radish raft raisin ranger rapid raven razor recipe record reef relay relic resin rhubarb
rhyme ribbon rice ring ripple river road robin robot rodeo roof rose rosemary round royal rubber rudder rugby
runner rye safari saffron salad salmon salt salute sand sandal sapphire sardine sash satchel satin saturn saucer
sauna savanna scallop scarf school science scooter scout scroll sculptor seal season seaweed secret seed sequoia
sesame seven shadow shallot shamrock shawl sheep shelf shelter sheriff shield ship shirt shore shovel shrimp
shrub sierra signal silver sister skate sketch ski skipper sloth snail snow soap soccer soda solar solid sonata
south soy spade spaniel spark sparrow sphinx spice spinach spiral sponge spoon spring spruce squash squid
squirrel stable stadium stamp star statue steel stencil stereo stone stork straw stream street studio sugar
suitcase sultan summer summit sunday sunrise sunset swallow swan sweater swift swing sycamore symbol syrup
tablet talon tangerine tapestry tapir taxi teacher teapot temple tempo tennis tent terrace theater thicket
thimble thistle thorn thread throne thunder tidal tiger timber tinsel tofu token tomato topaz torch tornado
tortoise totem toucan tower tractor trail transit trapeze treasure tree trellis trident trolley trombone trophy
trout truck truffle trumpet tulip tuna tundra tunic tunnel turban turkey turnip turquoise turtle tuxedo twelve
twig twilight umbrella uncle unicorn unicycle upland urchin usher vacuum valley valve vanilla vault vector
velvet vendor venus veranda verse vessel viaduct victory video villa village vinegar vintage violet violin
vision vivid volcano voyage waffle wagon waist walker walnut walrus waltz warbler water wax weekend wharf wheat
wheel whisker white wicker widget wind window winter wisdom wolf wombat wonder wool wreath wren writer xenon
xylophone yacht yard yeast yellow yew yogurt young zebra zenith zephyr zigzag zinc zinnia zodiac zone zoo
"""

WORDS: Final = tuple(_LINES.split())
