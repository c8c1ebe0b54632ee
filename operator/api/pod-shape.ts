import type { PodShape } from './model-deployment.ts';

/** The part of a spec that makes its revision. */
export function podShapeOf({ model, runtime, resources, podTemplate }: PodShape): PodShape {
  return {
    model,
    ...(runtime !== undefined && { runtime }),
    ...(resources !== undefined && { resources }),
    ...(podTemplate !== undefined && { podTemplate }),
  };
}
