export type {
  KubernetesObject,
  ObjectMeta,
  ObjectReference,
  ObjectVersion,
  OwnerReference,
} from '../controller/object.ts';
