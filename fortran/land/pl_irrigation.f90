!> Irrigation: the water that the root zone lacks, and its application over hours.
!>
!> Once a day the water of the soil down to a depth is compared with a target (field capacity, or saturation); below a
!> threshold between the wilting point and the target, what is missing is applied at a constant rate from then on. After
!> CLM5 (Lawrence et al. 2018, CLM Technical Note, chapter on the irrigation model, eqs. 25.61 to 25.65), which follows
!> Ozdogan et al. (2010), J. Hydrometeorol. 11, 171-184, and Leng et al. (2013), J. Geophys. Res. 118, 9789-9803. The
!> water comes from outside the column. Amounts are per area of the irrigated patch.
module pl_irrigation
   use pl_chunk, only: w => chunk_width
   use pl_constants, only: density_water, freezing_point
   use pl_kinds, only: rk
   implicit none (type, external)
   private
   public :: apply_irrigation, irrigation_deficit, irrigation_patch_type
   public :: method_drip, method_flood, method_sprinkler

   integer, parameter :: method_sprinkler = 1 !! above the canopy, which intercepts it
   integer, parameter :: method_flood = 2     !! on the ground
   integer, parameter :: method_drip = 3      !! on the ground

   !> Irrigation of one patch.
   type :: irrigation_patch_type
      integer :: method(w)         !! method_*
      logical :: is_by_deficit(w)  !! demand follows the deficit of the root zone
      real(rk) :: threshold(w)     !! share between wilting point and target below which it is irrigated [1]
      real(rk) :: depth(w)         !! soil that counts [m]
      real(rk) :: duration(w)      !! of an application [s]
      real(rk) :: supply(w)        !! prescribed [kg m-2 s-1]
      logical :: is_start(w)       !! the hour of the daily check lies in this step
      real(rk) :: remaining(w)     !! still to be applied [kg m-2]
      real(rk) :: rate(w)          !! of the present application [kg m-2 s-1]
   end type irrigation_patch_type

contains

   !> Water that the soil lacks to the target, zero where it holds more than the threshold.
   !>
   !> The first frozen layer ends the soil that counts, as in CLM5.
   pure subroutine irrigation_deficit(nlayer, thickness, water, wilting, target_water, temperature, depth, threshold, deficit)
      integer, intent(in) :: nlayer                   !! soil layers [1]
      real(rk), intent(in) :: thickness(w, nlayer)    !! [m]
      real(rk), intent(in) :: water(w, nlayer)        !! [m3 m-3]
      real(rk), intent(in) :: wilting(w, nlayer)      !! wilting point [m3 m-3]
      real(rk), intent(in) :: target_water(w, nlayer) !! at least the wilting point [m3 m-3]
      real(rk), intent(in) :: temperature(w, nlayer)  !! [K]
      real(rk), intent(in) :: depth(w)                !! soil that counts [m]
      real(rk), intent(in) :: threshold(w)            !! share between wilting point and target [1]
      real(rk), intent(out) :: deficit(w)             !! [kg m-2]
      real(rk) :: present(w), dry(w), full(w), thawed(w), top(w), share
      integer :: i, k
      present = 0.0_rk
      dry = 0.0_rk
      full = 0.0_rk
      top = 0.0_rk
      thawed = 1.0_rk
      do k = 1, nlayer
         do i = 1, w
            thawed(i) = merge(thawed(i), 0.0_rk, temperature(i, k) > freezing_point)
            share = thawed(i)*max(min(thickness(i, k), depth(i) - top(i)), 0.0_rk)
            present(i) = present(i) + share*water(i, k)
            dry(i) = dry(i) + share*wilting(i, k)
            full(i) = full(i) + share*target_water(i, k)
            top(i) = top(i) + thickness(i, k)
         end do
      end do
      do i = 1, w
         deficit(i) = merge(density_water*max(full(i) - present(i), 0.0_rk), 0.0_rk, &
                            present(i) < dry(i) + threshold(i)*(full(i) - dry(i)))
      end do
   end subroutine irrigation_deficit

   !> Water applied in a step, above the canopy and on the ground.
   !>
   !> A check with a deficit begins an application of deficit/duration; an application ends when nothing remains. Plants
   !> without leaves are not irrigated by deficit.
   pure subroutine apply_irrigation(dt, leaf_area, deficit, patch, above, ground)
      real(rk), intent(in) :: dt           !! time step [s]
      real(rk), intent(in) :: leaf_area(w) !! [m2 m-2]
      real(rk), intent(in) :: deficit(w)   !! [kg m-2]
      type(irrigation_patch_type), intent(inout) :: patch
      real(rk), intent(out) :: above(w)    !! sprinkled on the canopy [kg m-2 s-1]
      real(rk), intent(out) :: ground(w)   !! on the ground [kg m-2 s-1]
      logical :: begins
      real(rk) :: applied
      integer :: i
      do i = 1, w
         begins = patch%is_start(i) .and. patch%is_by_deficit(i) .and. leaf_area(i) > 0.0_rk
         patch%remaining(i) = merge(deficit(i), patch%remaining(i), begins)
         patch%rate(i) = merge(deficit(i)/patch%duration(i), patch%rate(i), begins)
         applied = min(patch%rate(i), patch%remaining(i)/dt)
         patch%remaining(i) = max(patch%remaining(i) - dt*applied, 0.0_rk)
         applied = applied + patch%supply(i)
         above(i) = merge(applied, 0.0_rk, patch%method(i) == method_sprinkler)
         ground(i) = applied - above(i)
      end do
   end subroutine apply_irrigation

end module pl_irrigation
