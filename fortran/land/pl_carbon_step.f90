!> Carbon of a chunk of columns in one step: plants patch by patch, then litter and soil.
!>
!> Plants hold one store per patch: it takes the net primary production and gives litterfall, so that the column's carbon
!> changes by the net ecosystem exchange alone: d(plants + litter + soil)/dt = GPP - R_a - R_h. Where pools are
!> prescribed they stay as they are and only their respiration is computed.
module pl_carbon_step
   use pl_carbon_respiration, only: maintenance_factor, maintenance_respiration, split_respiration
   use pl_chunk, only: w => chunk_width
   use pl_kinds, only: rk
   use pl_soil_carbon, only: decomposition_factor, npool, pool_respiration, soil_carbon_step
   implicit none (type, external)
   private
   public :: carbon_evolving, carbon_none, carbon_patch_type, carbon_prescribed, carbon_sums_type
   public :: add_patch_carbon, finish_carbon, start_carbon

   integer, parameter :: carbon_none = 0, carbon_prescribed = 1, carbon_evolving = 2

   !> Plants of one patch, per area of the patch.
   type :: carbon_patch_type
      real(rk) :: fraction(w)         !! share of the column [1]
      real(rk) :: stem_nitrogen(w)    !! of live stems [kg m-2]
      real(rk) :: root_nitrogen(w)    !! of roots [kg m-2]
      real(rk) :: turnover(w)         !! litterfall per carbon of the store [s-1]
      real(rk) :: gross(w)            !! gross primary production [kg m-2 s-1]
      real(rk) :: leaf_respiration(w) !! [kg m-2 s-1]
      real(rk) :: carbon(w)           !! store of the plants [kg m-2]
      real(rk) :: net(w)              !! result: net primary production [kg m-2 s-1]
   end type carbon_patch_type

   !> Column means.
   type :: carbon_sums_type
      real(rk) :: gross(w)         !! gross primary production [kg m-2 s-1]
      real(rk) :: autotrophic(w)   !! respiration of plants [kg m-2 s-1]
      real(rk) :: litterfall(w)    !! [kg m-2 s-1]
      real(rk) :: heterotrophic(w) !! respiration of litter and soil [kg m-2 s-1]
      real(rk) :: exchange(w)      !! net ecosystem exchange, positive to the air [kg m-2 s-1]
      real(rk) :: factor(w)        !! control of decay [1]
      real(rk) :: plants(w)        !! carbon of the plants' store at the end of the step [kg m-2]
      real(rk) :: gain(w)          !! change of that store [kg m-2]
      real(rk) :: residual(w)      !! carbon that does not close [kg m-2]
   end type carbon_sums_type

contains

   !> Zero sums, and the temperature factors of maintenance respiration.
   pure subroutine start_carbon(nlayer, air_temperature, soil_temperature, air_factor, layer_factor, sums)
      integer, intent(in) :: nlayer                       !! soil layers [1]
      real(rk), intent(in) :: air_temperature(w)          !! [K]
      real(rk), intent(in) :: soil_temperature(w, nlayer) !! [K]
      real(rk), intent(out) :: air_factor(w)              !! [1]
      real(rk), intent(out) :: layer_factor(w, nlayer)    !! [1]
      type(carbon_sums_type), intent(out) :: sums
      integer :: k
      call maintenance_factor(air_temperature, air_factor)
      do k = 1, nlayer
         call maintenance_factor(soil_temperature(:, k), layer_factor(:, k))
      end do
      sums%gross = 0.0_rk
      sums%autotrophic = 0.0_rk
      sums%litterfall = 0.0_rk
      sums%heterotrophic = 0.0_rk
      sums%exchange = 0.0_rk
      sums%factor = 0.0_rk
      sums%plants = 0.0_rk
      sums%gain = 0.0_rk
      sums%residual = 0.0_rk
   end subroutine start_carbon

   !> Respiration, store and litterfall of one patch; adds its share to the column.
   !>
   !> Litterfall is turnover times store, implicit in time. Plants whose store is spent respire no more than they gain.
   pure subroutine add_patch_carbon(dt, is_evolving, nlayer, air_factor, layer_factor, root_fraction, patch, sums)
      real(rk), intent(in) :: dt                       !! time step [s]
      logical, intent(in) :: is_evolving               !! the store changes; else it stays as it is
      integer, intent(in) :: nlayer                    !! soil layers [1]
      real(rk), intent(in) :: air_factor(w)            !! of maintenance respiration [1]
      real(rk), intent(in) :: layer_factor(w, nlayer)  !! of maintenance respiration [1]
      real(rk), intent(in) :: root_fraction(w, nlayer) !! [1]
      type(carbon_patch_type), intent(inout) :: patch
      type(carbon_sums_type), intent(inout) :: sums
      real(rk) :: maintenance(w), growth(w), respiration(w), fed, kept, shortage, fallen
      integer :: i
      call maintenance_respiration(nlayer, patch%stem_nitrogen, patch%root_nitrogen, root_fraction, air_factor, &
                                   layer_factor, maintenance)
      call split_respiration(patch%gross, patch%leaf_respiration, maintenance, growth, respiration)
      do i = 1, w
         shortage = merge(min(patch%carbon(i) + dt*(patch%gross(i) - respiration(i)), 0.0_rk), 0.0_rk, is_evolving)
         respiration(i) = respiration(i) + shortage/dt
         patch%net(i) = patch%gross(i) - respiration(i)
         fed = merge(0.0_rk, patch%carbon(i) + dt*patch%net(i), shortage < 0.0_rk)
         kept = merge(fed/(1.0_rk + dt*patch%turnover(i)), patch%carbon(i), is_evolving)
         fallen = merge((fed - kept)/dt, 0.0_rk, is_evolving)
         sums%gross(i) = sums%gross(i) + patch%fraction(i)*patch%gross(i)
         sums%autotrophic(i) = sums%autotrophic(i) + patch%fraction(i)*respiration(i)
         sums%litterfall(i) = sums%litterfall(i) + patch%fraction(i)*fallen
         sums%plants(i) = sums%plants(i) + patch%fraction(i)*kept
         sums%gain(i) = sums%gain(i) + patch%fraction(i)*(kept - patch%carbon(i))
         patch%carbon(i) = kept
      end do
   end subroutine add_patch_carbon

   !> Litter and soil after all patches, and the balance of the column.
   pure subroutine finish_carbon(dt, is_evolving, nlayer, thickness, soil_temperature, head, sand, pools, sums)
      real(rk), intent(in) :: dt                          !! time step [s]
      logical, intent(in) :: is_evolving                  !! pools change; else they stay as they are
      integer, intent(in) :: nlayer                       !! soil layers [1]
      real(rk), intent(in) :: thickness(w, nlayer)        !! [m]
      real(rk), intent(in) :: soil_temperature(w, nlayer) !! [K]
      real(rk), intent(in) :: head(w, nlayer)             !! pressure head [m]
      real(rk), intent(in) :: sand(w)                     !! of the top soil [%]
      real(rk), intent(inout) :: pools(w, npool)          !! carbon of litter and soil [kg m-2]
      type(carbon_sums_type), intent(inout) :: sums
      real(rk) :: before(w, npool), gain
      integer :: i
      call decomposition_factor(nlayer, thickness, soil_temperature, head, sums%factor)
      if (is_evolving) then
         before = pools
         call soil_carbon_step(dt, sand, sums%factor, sums%litterfall, pools, sums%heterotrophic)
      else
         call pool_respiration(sand, sums%factor, pools, sums%heterotrophic)
      end if
      do i = 1, w
         sums%exchange(i) = sums%autotrophic(i) + sums%heterotrophic(i) - sums%gross(i)
      end do
      if (.not. is_evolving) return
      do i = 1, w
         gain = sums%gain(i) + sum(pools(i, :) - before(i, :))
         sums%residual(i) = gain + dt*sums%exchange(i)
      end do
   end subroutine finish_carbon

end module pl_carbon_step
