import { restStory } from './long/rest.ts';
import { scalingStories } from './long/scaling.ts';

// An autoscaler scales down, and rest is believed, only after minutes: they wait at the same time.
scalingStories();
restStory();
